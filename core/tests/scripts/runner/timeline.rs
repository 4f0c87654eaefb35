//! What happens when: the script's steps in their order, the machine's timers between them, and
//! each packet that leaves held against the one that was expected.
//!
//! A script fails at the first thing that is not as it says: a packet too few, too many, too early,
//! too late or different, a call that returns something else or at another time.

use std::collections::VecDeque;
use std::fmt::Write as _;

use super::calls::{Check, Sockets};
use super::conditions;
use super::flow::Flows;
use super::machine::{Machine, Returned};
use super::packet::{Body, Packet, Tcp, differences};
use super::script::{Call, Expected, Family, Script, Step, What, When};
use super::text::seconds;

/// Timers that may fire between two steps; more, and the machine runs in circles.
const TIMERS_MAX: u32 = 100_000;
/// How long `*` waits for a packet: an hour.
const WHENEVER_US: u64 = 3_600_000_000;

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
        if let Some(departure) = self.departures.front() {
            return Err(format!("the script ends, but {}", self.describe_front(departure.at_us)));
        }
        match &self.lasting {
            Some(lasting) => Err(format!("the script ends, but `{}` does not", lasting.step.text)),
            None => Ok(()),
        }
    }

    fn step(&mut self, step: &'a Step) -> Result<(), String> {
        let (start_us, end_us) = match step.when {
            When::At(at) => (at, at),
            When::After(after) | When::Lasting(after, _) => {
                (self.last_us + after, self.last_us + after)
            }
            When::Between(from, to) => (self.last_us + from, self.last_us + to),
            When::Whenever => (self.last_us, self.last_us + WHENEVER_US),
        };
        if start_us < self.last_us {
            return Err("time does not go back".into());
        }
        if let What::Expect(packet) = &step.what {
            return self.expect(packet, start_us, end_us);
        }
        self.advance(start_us)?;
        if let Some(departure) = self.departures.front()
            && departure.at_us < start_us
        {
            return Err(self.describe_front(departure.at_us));
        }
        let base_us = std::mem::replace(&mut self.last_us, start_us);
        match &step.what {
            What::Call(call) => self.call(step, call, base_us),
            What::Inject(packet) => {
                let bytes = self.flows.inject(packet)?;
                if let Body::Tcp(Tcp { seq, urgent: Some(urgent), .. }) = packet.body {
                    // RFC 6093 §3.2: the pointer names the octet after the urgent one.
                    self.sockets.urgent = Some(seq.wrapping_add(urgent.into()).wrapping_sub(1));
                }
                self.note(&format!("< {packet}"));
                self.machine.input(&bytes);
                self.collect()
            }
            What::Assert(list) => {
                self.note(&step.text);
                let family = self.family;
                let (machine, sockets) = (&mut *self.machine, &self.sockets);
                list.iter().try_for_each(|condition| {
                    conditions::judge(condition, machine, sockets, family)
                        .map_err(|error| format!("{}: {error}", condition.text))
                })
            }
            What::Expect(_) => unreachable!("met above"),
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
            (Some(_), Some(_)) => return Err("it returned at once".into()),
            (Some(returned), None) => self.sockets.judge(&check, &call.result, returned)?,
            (None, None) => return Err("it blocks".into()),
            (None, Some(_)) if self.lasting.is_some() => {
                return Err("another call blocks already".into());
            }
            (None, Some(end_us)) => {
                self.lasting = Some(Lasting { step, check, expected: &call.result, end_us });
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
        self.advance_until_departure(end_us)?;
        let Some(departure) = self.departures.pop_front() else {
            return Err(format!("no packet left until {}", seconds(end_us)));
        };
        let at_us = departure.at_us;
        let came = self.flows.read(&departure.bytes, Some(wanted));
        match &came {
            Ok(packet) => self.note_at(at_us, &format!("> {packet}")),
            Err(error) => self.note_at(at_us, &format!("> ? {error}")),
        }
        let came = came?;
        let mut differing = differences(wanted, &came);
        if !(start_us..=end_us).contains(&at_us) {
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
        self.last_us = at_us;
        Ok(())
    }

    fn advance(&mut self, to_us: u64) -> Result<(), String> {
        for _ in 0..TIMERS_MAX {
            match self.machine.next_deadline_us() {
                Some(next_us) if next_us <= to_us => self.move_to(next_us.max(self.now_us))?,
                _ => return self.move_to(to_us),
            }
            if self.now_us == to_us {
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
            match self.machine.next_deadline_us() {
                Some(next_us) if next_us <= end_us && self.now_us < end_us => {
                    self.move_to(next_us.max(self.now_us))?;
                }
                _ => return self.move_to(end_us),
            }
        }
        Err("timers fire without end".into())
    }

    fn move_to(&mut self, us: u64) -> Result<(), String> {
        self.machine.advance(us);
        self.now_us = us;
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
        let Some(Lasting { step, check, expected, end_us }) = self.lasting.take() else {
            return Err("a call returned that was not made".into());
        };
        let now_us = self.now_us;
        self.note(&format!("`{}` returns", step.text));
        self.sockets
            .judge(&check, expected, returned)
            .map_err(|error| format!("`{}`: {error}", step.text))?;
        if now_us != end_us {
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
