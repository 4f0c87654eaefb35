//! What happens when: the script's steps in their order, the machine's timers between them, and
//! each packet that leaves held against the one that was expected.
//!
//! A script fails at the first thing that is not as it says: a packet too few, too many, too early,
//! too late or different, a call that returns something else or at another time. Where time is real,
//! what comes late within the machine's tolerance shifts all that follows.

use std::collections::VecDeque;
use std::fmt::Write as _;

use super::calls::{Check, Sockets};
use super::conditions;
use super::flow::Flows;
use super::machine::{Machine, Returned};
use super::packet::{Body, PSH, Packet, Tcp, differences};
use super::script::{Call, Condition, Expected, Family, Script, Step, What, When};
use super::text::seconds;

/// Timers that may fire between two steps; more, and the machine runs in circles.
const TIMERS_MAX: u32 = 100_000;
/// How long `*` waits for a packet: an hour.
const WHENEVER_US: u64 = 3_600_000_000;

/// How soon an assertion is looked at again, where time is real.
const ASSERT_AGAIN_US: u64 = 1000;

/// A packet that left the machine.
struct Departure {
    at_us: u64,
    bytes: Vec<u8>,
}

/// A call that blocks.
struct Lasting<'a> {
    step: &'a Step,
    check: Check,
    expected: &'a Expected,
    start_us: u64,
    end_us: u64,
}

/// One run of a script.
pub(crate) struct Timeline<'a> {
    script: &'a Script,
    family: Family,
    machine: Box<dyn Machine>,
    flows: Flows,
    sockets: Sockets,
    now_us: u64,
    /// When the step before happened: what `+` counts from.
    last_us: u64,
    /// When it was to happen: earlier, where time is real.
    nominal_us: u64,
    /// When something happened last that could set a timer.
    stirred_us: u64,
    departures: VecDeque<Departure>,
    lasting: Option<Lasting<'a>>,
    trace: String,
}

impl<'a> Timeline<'a> {
    pub(crate) fn new(
        script: &'a Script,
        machine: Box<dyn Machine>,
        family: Family,
    ) -> Timeline<'a> {
        Timeline {
            script,
            family,
            machine,
            flows: Flows::new(family, &script.settings),
            sockets: Sockets::new(family),
            now_us: 0,
            last_us: 0,
            nominal_us: 0,
            stirred_us: 0,
            departures: VecDeque::new(),
            lasting: None,
            trace: String::new(),
        }
    }

    /// Runs the script to its end.
    pub(crate) fn run(mut self) -> Result<(), String> {
        for step in &self.script.steps {
            self.step(step).map_err(|message| self.failure(step, &message))?;
        }
        let Some(last) = self.script.steps.last() else { return Ok(()) };
        self.finish().map_err(|message| self.failure(last, &message))
    }

    fn finish(&mut self) -> Result<(), String> {
        let ending_us = self.lasting.as_ref().map_or(self.now_us, |lasting| lasting.end_us);
        if ending_us <= self.now_us {
            self.advance(self.now_us + self.machine.tolerance().us)?;
        }
        if let Some(departure) = self.departures.front() {
            return Err(format!("the script ends, but {}", self.describe_front(departure.at_us)));
        }
        match &self.lasting {
            Some(lasting) => Err(format!("the script ends, but `{}` does not", lasting.step.text)),
            None => Ok(()),
        }
    }

    fn step(&mut self, step: &'a Step) -> Result<(), String> {
        let (after, until) = match step.when {
            When::At(at) => {
                let after = at.checked_sub(self.nominal_us).ok_or("time does not go back")?;
                (after, after)
            }
            When::After(after) | When::Lasting(after, _) => (after, after),
            When::Between(from, to) => (from, to),
            When::Whenever => (0, WHENEVER_US),
        };
        let base_us = self.last_us;
        let start_us = base_us + after;
        if let What::Expect(packet) = &step.what {
            self.expect(packet, start_us, base_us + until)?;
            self.nominal_us += (self.last_us - base_us).clamp(after, until);
            self.stirred_us = self.last_us;
            return Ok(());
        }
        self.advance(start_us)?;
        if let Some(departure) = self.departures.front()
            && departure.at_us < start_us
        {
            return Err(self.describe_front(departure.at_us));
        }
        self.last_us = self.now_us;
        self.nominal_us += after;
        if stirs(&step.what) {
            self.stirred_us = self.now_us;
        }
        match &step.what {
            What::Call(call) => self.call(step, call, base_us),
            What::Inject(packet) => {
                let bytes = self.flows.inject(packet)?;
                if let Body::Tcp(Tcp { seq, urgent: Some(urgent), .. }) = packet.body {
                    // RFC 6093 §4: the pointer names the octet after the urgent one.
                    self.sockets.urgent = Some(seq.wrapping_add(urgent.into()).wrapping_sub(1));
                }
                self.note(&format!("< {packet}"));
                self.machine.input(&bytes);
                self.collect()
            }
            What::Assert(list) => {
                self.note(&step.text);
                list.iter().try_for_each(|condition| self.assert(condition))
            }
            What::Expect(_) => unreachable!("met above"),
        }
    }

    /// Where time is real, what the condition speaks of may be about to happen.
    fn assert(&mut self, condition: &Condition) -> Result<(), String> {
        let late_us = self.machine.tolerance().late_us(self.now_us - self.stirred_us);
        let latest_us = self.last_us + late_us;
        loop {
            let (machine, sockets) = (&mut *self.machine, &self.sockets);
            let judged = conditions::judge(condition, machine, sockets, self.family);
            if judged.is_ok() || self.now_us >= latest_us {
                return judged.map_err(|error| format!("{}: {error}", condition.text));
            }
            self.advance((self.now_us + ASSERT_AGAIN_US).min(latest_us))?;
        }
    }

    fn call(&mut self, step: &'a Step, call: &'a Call, base_us: u64) -> Result<(), String> {
        self.note(&step.text);
        if call.name == "sysctl" {
            return self.sysctl(call);
        }
        let (asked, check) = self.sockets.prepare(call)?;
        let end_us = match step.when {
            When::Lasting(_, end) => Some(base_us + end),
            _ => None,
        };
        let returned = self.machine.call(asked, end_us.is_some());
        match (returned, end_us) {
            (Some(_), Some(end_us)) if end_us > self.now_us => {
                return Err("it returned at once".into());
            }
            (Some(returned), _) => self.sockets.judge(&check, &call.result, returned)?,
            (None, None) => return Err("it blocks".into()),
            (None, Some(_)) if self.lasting.is_some() => {
                return Err("another call blocks already".into());
            }
            (None, Some(end_us)) => {
                let (start_us, expected) = (self.now_us, &call.result);
                self.lasting = Some(Lasting { step, check, expected, start_us, end_us });
            }
        }
        self.collect()
    }

    /// `sysctl("tcp_delack_ms", "100") = 0`: a knob from now on.
    fn sysctl(&mut self, call: &Call) -> Result<(), String> {
        use super::script::Argument::Text;
        match call.arguments.as_slice() {
            [Text(name), Text(value)] => self.machine.set_knob(name, value),
            _ => Err("expected sysctl(\"name\", \"value\")".into()),
        }
    }

    /// The next packet that leaves is this one, between these times.
    fn expect(&mut self, wanted: &'a Packet, start_us: u64, end_us: u64) -> Result<(), String> {
        let tolerance = self.machine.tolerance();
        let latest_us = end_us + tolerance.late_us(end_us - self.stirred_us.min(end_us));
        self.advance_until_departure(latest_us)?;
        let Some(departure) = self.departures.pop_front() else {
            return Err(format!("no packet left until {}", seconds(end_us)));
        };
        let at_us = departure.at_us;
        let off_us = tolerance.us
            + at_us.saturating_sub(start_us)
            + self.last_us.saturating_sub(self.nominal_us);
        self.flows.timestamps_off_ms = (off_us / 1000) as u32;
        let mut came = self.left(&departure, Some(wanted))?;
        // What is expected as one segment may leave as several: they are put together again.
        while came.is_part_of(wanted)
            && let Some(next) = self.departure_until(at_us + tolerance.us)?
        {
            let next = self.left(&next, Some(wanted))?;
            came = came.followed_by(next).ok_or("it is no part of what was expected")?;
        }
        let mut differing = differences(wanted, &came);
        if tolerance.pushes && flags(&came) == flags(wanted) | PSH {
            differing.retain(|what| *what != "flags");
        }
        if !(start_us - tolerance.us.min(start_us)..=latest_us).contains(&at_us) {
            differing.insert(0, "time");
        }
        if !differing.is_empty() {
            return Err(format!(
                "differs in {}\n  expected {} > {wanted}\n  came     {} > {came}",
                differing.join(", "),
                seconds(start_us),
                seconds(at_us),
            ));
        }
        self.last_us = at_us.max(self.last_us);
        Ok(())
    }

    /// The next packet, if it leaves by then.
    fn departure_until(&mut self, us: u64) -> Result<Option<Departure>, String> {
        self.advance_until_departure(us.max(self.now_us))?;
        let is_there = self.departures.front().is_some_and(|departure| departure.at_us <= us);
        Ok(if is_there { self.departures.pop_front() } else { None })
    }

    /// What a packet that left says.
    fn left(&mut self, departure: &Departure, wanted: Option<&Packet>) -> Result<Packet, String> {
        let packet = self.flows.read(&departure.bytes, wanted);
        match &packet {
            Ok(packet) => self.note_at(departure.at_us, &format!("> {packet}")),
            Err(error) => self.note_at(departure.at_us, &format!("> ? {error}")),
        }
        packet
    }

    fn advance(&mut self, to_us: u64) -> Result<(), String> {
        for _ in 0..TIMERS_MAX {
            match self.machine.next_deadline_us(to_us) {
                Some(next_us) if next_us <= to_us => self.move_to(next_us.max(self.now_us))?,
                _ => return self.move_to(to_us),
            }
            if self.now_us >= to_us {
                return self.move_to(to_us);
            }
        }
        Err("timers fire without end".into())
    }

    /// Moves time on until something has left, but not past `end_us`.
    fn advance_until_departure(&mut self, end_us: u64) -> Result<(), String> {
        for _ in 0..TIMERS_MAX {
            if !self.departures.is_empty() {
                return Ok(());
            }
            match self.machine.next_deadline_us(end_us) {
                Some(next_us) if next_us <= end_us && self.now_us < end_us => {
                    self.move_to(next_us.max(self.now_us))?;
                }
                _ => return self.move_to(end_us),
            }
        }
        Err("timers fire without end".into())
    }

    fn move_to(&mut self, us: u64) -> Result<(), String> {
        self.now_us = self.machine.advance(us);
        self.collect()
    }

    /// Sees what the last happening brought: packets, and the end of a call that blocked.
    fn collect(&mut self) -> Result<(), String> {
        if let Some(returned) = self.machine.resume() {
            self.returned(returned)?;
        }
        while let Some(bytes) = self.machine.output() {
            self.departures.push_back(Departure { at_us: self.now_us, bytes });
        }
        Ok(())
    }

    fn returned(&mut self, returned: Returned) -> Result<(), String> {
        let Some(Lasting { step, check, expected, start_us, end_us }) = self.lasting.take() else {
            return Err("a call returned that was not made".into());
        };
        let now_us = self.now_us;
        self.note(&format!("`{}` returns", step.text));
        self.sockets
            .judge(&check, expected, returned)
            .map_err(|error| format!("`{}`: {error}", step.text))?;
        let tolerance = self.machine.tolerance();
        let latest_us = end_us + tolerance.late_us(end_us - start_us.min(end_us));
        if !(end_us - tolerance.us.min(end_us)..=latest_us).contains(&now_us) {
            return Err(format!("it was to return at {}: `{}`", seconds(end_us), step.text));
        }
        Ok(())
    }

    fn note(&mut self, text: &str) {
        self.note_at(self.now_us, text);
    }

    fn note_at(&mut self, us: u64, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.trace, "  {:>12} {text}", seconds(us));
    }

    fn describe_front(&self, at_us: u64) -> String {
        format!("a packet left at {} that was not expected", seconds(at_us))
    }

    /// Where and why, with all that happened until then.
    fn failure(&mut self, step: &Step, message: &str) -> String {
        let left: Vec<Departure> = self.departures.drain(..).collect();
        for Departure { at_us, bytes } in left {
            let text = match self.flows.read(&bytes, None) {
                Ok(packet) => format!("> {packet}     [not expected]"),
                Err(error) => format!("> ? {error}"),
            };
            self.note_at(at_us, &text);
        }
        let (path, line, family) = (self.script.path.display(), step.line, self.family);
        let (text, trace) = (&step.text, &self.trace);
        format!("{path}:{line} ({family:?}): {text}\n  {message}\n  what happened:\n{trace}")
    }
}

/// Whether it may have set a timer.
fn stirs(what: &What) -> bool {
    match what {
        What::Assert(_) => false,
        What::Inject(packet) => matches!(packet.body, Body::Tcp(_)),
        What::Call(call) => !matches!(&*call.name, "poll" | "getsockopt" | "ioctl"),
        What::Expect(_) => true,
    }
}

fn flags(packet: &Packet) -> u16 {
    match &packet.body {
        Body::Tcp(tcp) => tcp.flags,
        Body::Icmp(_) => 0,
    }
}
