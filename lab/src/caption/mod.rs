//! What views written in Rust say of an event: a segment in a line, a call as the source writes it, any
//! event in a sentence.
//!
//! Everything that is said stands in the run; nothing is concluded here.

use tcpstack::event::{Event, Kind, Language, SegmentRecord};

use crate::run::lookup::Lookup;
use crate::run::{CallSpan, Host, Position, Role, Run, has_flag, sacked};
use crate::text::{Text, Word, duration, grouped};

/// `PSH+ACK  seq=1  ack=1  len=13`, with the notes' J and K where numbers begin.
pub fn segment(run: &Run, sender: Option<usize>, segment: &SegmentRecord) -> String {
    let mut parts = vec![flags(segment)];
    let letters = sender.and_then(|at| run.hosts.get(at)).and_then(letters);
    let opens = has_flag(segment, "SYN");
    let named = |letter: Option<char>, plus: &str| match letter {
        Some(letter) if opens => format!(" ({letter}{plus})"),
        _ => String::new(),
    };
    let seq = segment.relative_seq.unwrap_or(u64::from(segment.seq));
    parts.push(format!("seq={seq}{}", named(letters.map(|(own, _)| own), "")));
    if has_flag(segment, "ACK") {
        let ack = segment.relative_ack.unwrap_or(u64::from(segment.ack));
        parts.push(format!("ack={ack}{}", named(letters.map(|(_, other)| other), "+1")));
    }
    if segment.len > 0 {
        parts.push(format!("len={}", segment.len));
    }
    if let [(left, right), more @ ..] = &sacked(segment, segment.relative_ack)[..] {
        let more = if more.is_empty() { "" } else { " …" };
        parts.push(format!("sack={left}-{right}{more}"));
    }
    if segment.segments > 1 {
        parts.push(format!("({}×)", segment.segments));
    }
    parts.join(" ")
}

/// `SYN+ACK`.
pub fn flags(segment: &SegmentRecord) -> String {
    match segment.flags.as_str() {
        "" => "–".to_owned(),
        flags => flags.replace('|', "+"),
    }
}

/// The letters of a host's own first number and of the other's.
fn letters(host: &Host) -> Option<(char, char)> {
    match host.role {
        Role::Client => Some(('J', 'K')),
        Role::Server => Some(('K', 'J')),
        Role::Peer => None,
    }
}

/// What the host is to a learner.
pub fn role(host: &Host, language: Language) -> &'static str {
    let word = match host.role {
        Role::Client => Word::Client,
        Role::Server => Word::Server,
        Role::Peer => Word::Peer,
    };
    word.of(language)
}

/// What the host is and its name, or what it is alone if that is its name.
pub fn host(host: &Host, language: Language) -> String {
    let role = role(host, language);
    if role == host.name { role.to_owned() } else { format!("{role} {}", host.name) }
}

/// `send(3, buf, 13)`.
pub fn call(call: &CallSpan) -> String {
    format!("{}({})", call.name, call.arguments)
}

/// What happened at `position`, in a few words.
pub fn event(run: &Run, lookup: &Lookup, position: Position, language: Language) -> String {
    let Some(event) = run.events.get(position) else { return String::new() };
    let sender = lookup.flight(position).and_then(|at| run.flights.get(at)).map(|one| one.from);
    let text = Text::new(language);
    let chinese = language == Language::Chinese;
    match &event.kind {
        Kind::SegmentSent(record) => {
            let word = match (chinese, record.retransmission) {
                (false, false) => "sends",
                (false, true) => "sends again",
                (true, false) => "发送",
                (true, true) => "重传",
            };
            format!("{word} {}", segment(run, sender.or(lookup.host(position)), record))
        }
        Kind::SegmentReceived(record) => {
            let word = if chinese { "收到" } else { "receives" };
            format!("{word} {}", segment(run, sender, record))
        }
        Kind::PacketDropped { counter, .. } => text.dropped(counter),
        Kind::Updated => if chinese { "变量更新" } else { "variables updated" }.to_owned(),
        Kind::StateChanged { from, to } => format!("{} → {}", from.name(), to.name()),
        Kind::TimerArmed { timer, deadline_ns } => {
            let duration_ns = deadline_ns.saturating_sub(event.time_ns);
            format!("◷ {}", text.timer_armed(*timer, duration_ns))
        }
        Kind::TimerStopped { timer } => format!("◷ {}", text.timer_stopped(*timer)),
        Kind::TimerFired { timer } => format!("◷ {}", text.timer_fired(*timer, None)),
        Kind::RttMeasured { rtt_ns } => format!("RTT {}", duration(*rtt_ns)),
        Kind::CongestionChanged { phase } => {
            text.congestion(phase, event.after.as_ref().map(|after| after.cwnd)).replace('_', " ")
        }
        Kind::CallEntered { name, arguments, .. } => format!("{name}({arguments})"),
        Kind::CallBlocked { name, .. } => format!("{name}: {}", text.word(Word::Blocks)),
        Kind::CallReturned { name, result, .. } => format!("{name} = {result}"),
    }
}

/// The reason of an event with its clause: `… (RFC 9293 §3.10.1)`.
pub fn reason(event: &Event, language: Language) -> Option<String> {
    let reason = event.reason?;
    Some(format!("{} ({})", reason.text(language), reason.clause()))
}

/// `1,448 B`; the unlimited threshold as ∞.
pub fn bytes(count: u64) -> String {
    if count == u64::MAX { "∞".to_owned() } else { format!("{} B", grouped(count)) }
}
