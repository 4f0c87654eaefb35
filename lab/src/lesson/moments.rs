//! What happens to single packets in a scenario, and the moments that its texts speak of.

use std::net::SocketAddr;
use std::time::Duration;

use tcpstack::tcp::State;
use tcpstack::wire::tcp::Flags;
use toml::Spanned;

use super::calls;
use super::error::Fault;
use super::format::{EventToml, InjectToml, LandmarkToml, RuleToml};
use super::hosts::host_index;
use super::plan::{EventPattern, HostPlan, Injection, InjectionSource, LandmarkPlan};
use crate::run::{Action, Rule};

/// Rules of one scenario.
const RULES_MAX: u64 = 1000;

/// The kinds of events, as JSON has them.
const KINDS: [&str; 13] = [
    "segment_sent",
    "segment_received",
    "packet_dropped",
    "updated",
    "state_changed",
    "timer_armed",
    "timer_stopped",
    "timer_fired",
    "rtt_measured",
    "congestion_changed",
    "call_entered",
    "call_blocked",
    "call_returned",
];

const FLAGS: [(&str, Flags); 9] = [
    ("AE", Flags::AE),
    ("CWR", Flags::CWR),
    ("ECE", Flags::ECE),
    ("URG", Flags::URG),
    ("ACK", Flags::ACK),
    ("PSH", Flags::PSH),
    ("RST", Flags::RST),
    ("SYN", Flags::SYN),
    ("FIN", Flags::FIN),
];

const STATES: [State; 11] = [
    State::Closed,
    State::Listen,
    State::SynSent,
    State::SynReceived,
    State::Established,
    State::FinWait1,
    State::FinWait2,
    State::CloseWait,
    State::Closing,
    State::LastAck,
    State::TimeWait,
];

/// What is done to the packets that one entry names.
pub(super) fn rules(
    given: &[RuleToml],
    hosts: &[HostPlan],
    of_scenario: bool,
) -> Result<Vec<Rule>, Fault> {
    let mut rules = Vec::new();
    for entry in given {
        host_index(&entry.from, hosts)?;
        let first = entry.number.0;
        let last = entry.last.as_ref().map_or(first, |last| last.get_ref().0);
        if last < first || last - first >= RULES_MAX {
            let at = entry.last.as_ref().map_or(0..0, Spanned::span);
            let message = format!("{last}: expected a number from {first} on, {RULES_MAX} at most");
            return Err(Fault::new(at, message));
        }
        let (from, action) = (entry.from.get_ref(), action(entry)?);
        rules.extend((first..=last).map(|number| Rule {
            from: from.clone(),
            number,
            action: action.clone(),
            of_scenario,
        }));
    }
    Ok(rules)
}

fn action(entry: &RuleToml) -> Result<Action, Fault> {
    let refuse = |message: &str| Err(Fault::new(entry.action.span(), message));
    match (entry.action.get_ref().as_str(), entry.delay, entry.bit) {
        ("drop", None, None) => Ok(Action::Drop),
        ("duplicate", None, None) => Ok(Action::Duplicate),
        ("reorder", None, None) => Ok(Action::Reorder),
        ("delay", Some(delay), None) => {
            let delay_ms = u64::try_from(delay.0.as_millis()).unwrap_or(u64::MAX);
            Ok(Action::Delay { delay_ms })
        }
        ("delay", None, None) => refuse("`delay` lacks how long: `delay = \"300ms\"`"),
        ("corrupt", None, Some(bit)) => Ok(Action::Corrupt { bit: bit.0 }),
        ("corrupt", None, None) => refuse("`corrupt` lacks which bit: `bit = 160`"),
        ("drop" | "duplicate" | "reorder" | "delay" | "corrupt", ..) => {
            refuse("`delay` goes with the action `delay` alone, and `bit` with `corrupt`")
        }
        _ => refuse("expected the action drop, delay, duplicate, reorder or corrupt"),
    }
}

/// Packets from outside.
pub(super) fn injection(entry: InjectToml, hosts: &[HostPlan]) -> Result<Injection, Fault> {
    let (from, to) = (host_index(&entry.from, hosts)?, host_index(&entry.to, hosts)?);
    if !hosts[from].outside || hosts[to].outside {
        let message = "expected packets from a host with `outside = true` to one without";
        return Err(Fault::new(entry.from.span(), message));
    }
    let source = match &entry.source {
        None => InjectionSource::Address(SocketAddr::new(hosts[from].address, 40_000)),
        Some(source) => match hosts.iter().position(|host| host.name == *source.get_ref()) {
            Some(imitated) => InjectionSource::Imitated(imitated),
            None => InjectionSource::Address(calls::address(source, hosts)?),
        },
    };
    if let InjectionSource::Address(address) = source
        && !calls::is_same_family(address.ip(), hosts[to].address)
    {
        let message = format!("{address} and {} are of different families", hosts[to].address);
        return Err(Fault::new(entry.to.span(), message));
    }
    let flags = flags(&entry.flags)?;
    Ok(Injection {
        at: entry.at.0,
        count: entry.count.map_or(1, |count| count.small()),
        every: entry.every.map_or(Duration::ZERO, |time| time.0),
        from,
        to,
        source,
        port: entry.port.map_or(80, |port| port.0 as u16),
        flags,
        seq: entry.seq.unwrap_or(0),
        ack: entry.ack.unwrap_or(0),
        window: entry.window.map_or(65_535, |window| window.0 as u16),
        text: entry.text.unwrap_or_default().into_bytes(),
    })
}

fn flags(given: &Spanned<String>) -> Result<Flags, Fault> {
    let mut flags = Flags::default();
    for name in given.get_ref().split('|').filter(|name| !name.is_empty()) {
        let Some((_, flag)) = FLAGS.iter().find(|(known, _)| *known == name) else {
            let message = format!("`{name}`: expected flags as `SYN|ACK`");
            return Err(Fault::new(given.span(), message));
        };
        flags = flags | *flag;
    }
    Ok(flags)
}

/// The landmarks of a scenario, each of which may come after one that stands above it.
pub(super) fn landmarks(
    given: Vec<LandmarkToml>,
    hosts: &[HostPlan],
) -> Result<Vec<LandmarkPlan>, Fault> {
    let mut landmarks: Vec<LandmarkPlan> = Vec::new();
    for entry in given {
        let at = entry.id.span();
        let id = entry.id.into_inner().0;
        if landmarks.iter().any(|known| known.id == id) {
            return Err(Fault::new(at, format!("there is a landmark `{id}` already")));
        }
        if let Some(after) = &entry.event.after
            && !landmarks.iter().any(|known| known.id == *after.get_ref())
        {
            let message = format!("`{}`: expected a landmark that stands above", after.get_ref());
            return Err(Fault::new(after.span(), message));
        }
        let event = pattern(entry.event, hosts)?;
        landmarks.push(LandmarkPlan { id, title: entry.title, text: entry.text, event });
    }
    Ok(landmarks)
}

fn pattern(event: EventToml, hosts: &[HostPlan]) -> Result<EventPattern, Fault> {
    host_index(&event.host, hosts)?;
    if !KINDS.contains(&event.kind.get_ref().as_str()) {
        let message = format!("`{}`: expected one of {}", event.kind.get_ref(), KINDS.join(", "));
        return Err(Fault::new(event.kind.span(), message));
    }
    let flags = event.flags.as_ref().map(flags).transpose()?;
    let state = event.state.map(|state| {
        let found = STATES.into_iter().find(|known| known.name() == state.get_ref());
        found.ok_or_else(|| {
            let names = STATES.map(State::name).join(", ");
            Fault::new(state.span(), format!("`{}`: expected one of {names}", state.get_ref()))
        })
    });
    Ok(EventPattern {
        host: event.host.into_inner(),
        kind: event.kind.into_inner(),
        flags: flags.map(|flags| flags.to_string()),
        retransmission: event.retransmission,
        len: event.len,
        window: event.window,
        state: state.transpose()?,
        call: event.call,
        result: event.result,
        timer: event.timer.map(Spanned::into_inner),
        reason: event.reason.map(Spanned::into_inner),
        counter: event.counter,
        phase: event.phase,
        after: event.after.map(Spanned::into_inner),
        nth: event.nth.map_or(1, |nth| nth.0),
    })
}
