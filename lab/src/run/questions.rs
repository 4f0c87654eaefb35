//! Questions for a learner who is asked before something happens, with answers and explanations from
//! the moment itself.
//!
//! An answer is what the event says. Each kind of question is asked once per end of a connection, so
//! that a long transfer does not ask the same over and over. A question whose explanation would not be
//! exact is not asked.

use std::collections::{BTreeMap, BTreeSet};

use tcpstack::event::{Event, Kind, Language, SegmentRecord, Snapshot};
use tcpstack::tcp::State;

use super::wording::who;
use super::{Host, HostIndex, Position, Question, Subject, Text, has_flag};

/// Of one run; more than anybody answers.
const QUESTIONS_MAX: usize = 48;

/// Flags as segments have them: what a learner chooses from.
const FLAGS: [&str; 8] =
    ["SYN", "SYN|ACK", "ACK", "PSH|ACK", "FIN|ACK", "FIN|PSH|ACK", "RST", "RST|ACK"];

/// The states in the order of a connection's life.
const STATES: [State; 11] = [
    State::Closed,
    State::Listen,
    State::SynSent,
    State::SynReceived,
    State::Established,
    State::FinWait1,
    State::FinWait2,
    State::Closing,
    State::TimeWait,
    State::CloseWait,
    State::LastAck,
];

/// What can be asked of `events`, in their order.
pub fn questions(hosts: &[Host], events: &[Event]) -> Vec<Question> {
    let mut asker = Asker {
        hosts,
        events,
        asked: BTreeSet::new(),
        fins: BTreeMap::new(),
        questions: Vec::new(),
    };
    for at in 0..events.len() {
        if asker.questions.len() >= QUESTIONS_MAX {
            break;
        }
        asker.look_at(at);
    }
    asker.questions
}

struct Asker<'a> {
    hosts: &'a [Host],
    events: &'a [Event],
    /// Whose, of which connection, and of which kind.
    asked: BTreeSet<(HostIndex, u64, String)>,
    /// The number behind each FIN that has arrived, counted from its sender's SYN.
    fins: BTreeMap<(HostIndex, u64), u64>,
    questions: Vec<Question>,
}

/// An event and where it stands.
#[derive(Clone, Copy)]
struct Moment<'a> {
    at: Position,
    event: &'a Event,
    host: HostIndex,
    connection: u64,
}

/// What a question is made of.
struct Draft {
    subject: Subject,
    text: Text,
    answer: String,
    choices: Vec<String>,
    explanation: Text,
}

impl Asker<'_> {
    fn look_at(&mut self, at: Position) {
        let event = &self.events[at];
        let Some(name) = event.connection.filter(|name| name.remote.is_some()) else { return };
        let Some(host) = self.hosts.iter().position(|host| *host.name == *event.host) else {
            return;
        };
        let moment = Moment { at, event, host, connection: name.id };
        match &event.kind {
            Kind::StateChanged { from, to } if from != to => self.ask_state(moment, *from, *to),
            Kind::SegmentSent(segment) => self.ask_segment(moment, segment),
            Kind::SegmentReceived(segment) if has_flag(segment, "FIN") => {
                if let Some(seq) = segment.relative_seq {
                    self.fins.insert((host, name.id), seq + segment.len as u64 + 1);
                }
            }
            _ => {}
        }
    }

    /// Asks, unless something of the kind was asked before.
    fn ask(&mut self, moment: Moment<'_>, kind: &str, draft: Option<Draft>) {
        let Some(draft) = draft else { return };
        if self.asked.insert((moment.host, moment.connection, kind.to_owned())) {
            let Draft { subject, text, answer, choices, explanation } = draft;
            self.questions.push(Question {
                before: moment.at,
                host: moment.host,
                subject,
                text,
                answer,
                choices,
                explanation,
            });
        }
    }

    fn ask_state(&mut self, moment: Moment<'_>, from: State, to: State) {
        let who = who(&self.hosts[moment.host]);
        let draft = reason(moment.event).map(|why| Draft {
            subject: Subject::State,
            text: Text {
                en: format!("{} is in {}. Which state is next?", who.en, from.name()),
                zh: format!("{}处于 {}。下一个状态是什么？", who.zh, from.name()),
            },
            answer: to.name().to_owned(),
            choices: STATES.map(|state| state.name().to_owned()).to_vec(),
            explanation: Text {
                en: format!("{} → {}: {}", from.name(), to.name(), why.en),
                zh: format!("{} → {}：{}", from.name(), to.name(), why.zh),
            },
        });
        self.ask(moment, &format!("state {}", to.name()), draft);
    }

    fn ask_segment(&mut self, moment: Moment<'_>, segment: &SegmentRecord) {
        let who = who(&self.hosts[moment.host]);
        let has = |flag: &str| has_flag(segment, flag);
        let is_milestone = ["SYN", "FIN", "RST"].into_iter().any(has);
        if is_milestone && !segment.retransmission {
            let kind = format!("flags {}", segment.flags);
            self.ask(moment, &kind, flags(moment.event, segment, &who));
        }
        if segment.retransmission {
            let draft = repeated_seq(moment.event, segment, &who);
            self.ask(moment, "seq again", draft);
        } else if segment.len > 0 || has("FIN") {
            let is_first = segment.relative_seq == Some(1);
            let kind = format!("seq {} {is_first}", has("FIN"));
            self.ask(moment, &kind, seq(segment, &who));
        }
        if has("ACK") && !segment.retransmission {
            let parts = self.acknowledged(moment, segment);
            let kind = format!("ack {:?}", parts.as_ref().map(|parts| parts.kind()));
            self.ask(moment, &kind, parts.map(|parts| ack(&parts, &who)));
        }
        if segment.window == 0 && !has("RST") {
            self.ask(moment, "window 0", window(moment.event, segment, &who));
        }
    }

    /// What SEG.ACK is the sum of, by what has arrived before.
    fn acknowledged(&self, moment: Moment<'_>, segment: &SegmentRecord) -> Option<Acknowledged> {
        let ack = segment.relative_ack?;
        let is_fin_acked = self.fins.get(&(moment.host, moment.connection)) == Some(&ack);
        // Relative numbers count the SYN as number 0.
        let bytes = ack.checked_sub(1 + u64::from(is_fin_acked))?;
        let has_hole = moment
            .event
            .after
            .as_ref()
            .is_some_and(|after| !after.receive_buffer.out_of_order.is_empty());
        Some(Acknowledged { ack, bytes, is_fin_acked, has_hole })
    }
}

/// SEG.ACK in its parts.
struct Acknowledged {
    ack: u64,
    bytes: u64,
    is_fin_acked: bool,
    /// Something has arrived past a hole.
    has_hole: bool,
}

impl Acknowledged {
    fn kind(&self) -> (bool, bool, bool) {
        (self.bytes > 0, self.is_fin_acked, self.has_hole)
    }
}

/// The reason of an event with its clause; none: it has none.
fn reason(event: &Event) -> Option<Text> {
    let reason = event.reason?;
    let told = |language| reason.text(language);
    Some(Text {
        en: format!("{} ({}).", told(Language::English), reason.clause()),
        zh: format!("{}（{}）。", told(Language::Chinese), reason.clause()),
    })
}

fn flags(event: &Event, segment: &SegmentRecord, who: &Text) -> Option<Draft> {
    let mut choices = FLAGS.map(str::to_owned).to_vec();
    if !choices.contains(&segment.flags) {
        choices.push(segment.flags.clone());
    }
    Some(Draft {
        subject: Subject::Flags,
        text: Text {
            en: format!("{} is about to send a segment. Which flags does it have?", who.en),
            zh: format!("{}即将发送一个报文段。它带有哪些标志位？", who.zh),
        },
        answer: segment.flags.clone(),
        choices,
        explanation: reason(event)?,
    })
}

fn seq(segment: &SegmentRecord, who: &Text) -> Option<Draft> {
    let seq = segment.relative_seq?;
    let sent = seq.checked_sub(1)?;
    Some(Draft {
        subject: Subject::Seq,
        text: Text {
            en: format!("{} is about to send. Which seq, counted from its SYN?", who.en),
            zh: format!("{}即将发送。seq 是多少（从它的 SYN 算起）？", who.zh),
        },
        answer: seq.to_string(),
        choices: Vec::new(),
        explanation: Text {
            en: format!(
                "seq = SYN 1 + {sent} bytes sent before = {seq}: the number of the segment's first \
                 byte (RFC 9293 §3.4).",
            ),
            zh: format!(
                "seq = SYN 1 + 之前已发送的 {sent} 字节 = {seq}：即本报文段第一个字节的序号（RFC 9293 §3.4）。",
            ),
        },
    })
}

/// What is sent again is the oldest that is not acknowledged: asked only where it is.
fn repeated_seq(event: &Event, segment: &SegmentRecord, who: &Text) -> Option<Draft> {
    let seq = segment.relative_seq?;
    let after: &Snapshot = event.after.as_deref()?;
    if after.snd_una.checked_sub(after.iss) != Some(seq) {
        return None;
    }
    let why = reason(event)?;
    Some(Draft {
        subject: Subject::Seq,
        text: Text {
            en: format!("{} is about to send something again. Which seq does it have?", who.en),
            zh: format!("{}即将重传。seq 是多少？", who.zh),
        },
        answer: seq.to_string(),
        choices: Vec::new(),
        explanation: Text {
            en: format!(
                "seq = {seq}: the oldest number that is not acknowledged, SND.UNA; {}",
                why.en,
            ),
            zh: format!("seq = {seq}：最早的未被确认的序号 SND.UNA；{}", why.zh),
        },
    })
}

fn ack(parts: &Acknowledged, who: &Text) -> Draft {
    let Acknowledged { ack, bytes, is_fin_acked, has_hole } = *parts;
    let (mut sum_en, mut sum_zh) = ("SYN 1".to_owned(), "SYN 1".to_owned());
    if bytes > 0 {
        sum_en += &format!(" + {bytes} bytes");
        sum_zh += &format!(" + {bytes} 字节");
    }
    if is_fin_acked {
        sum_en += " + FIN 1";
        sum_zh += " + FIN 1";
    }
    let (hole_en, hole_zh) = match has_hole {
        true => (
            " What has arrived past the hole does not count yet.",
            "空洞之后已到达的数据暂不计入。",
        ),
        false => ("", ""),
    };
    Draft {
        subject: Subject::Ack,
        text: Text {
            en: format!("{} is about to send a segment. Which ack does it have?", who.en),
            zh: format!("{}即将发送一个报文段。ack 是多少？", who.zh),
        },
        answer: ack.to_string(),
        choices: Vec::new(),
        explanation: Text {
            en: format!(
                "ack = {sum_en} = {ack}: the number that is expected next (RFC 9293 §3.4).{hole_en}",
            ),
            zh: format!("ack = {sum_zh} = {ack}：期望收到的下一个序号（RFC 9293 §3.4）。{hole_zh}"),
        },
    }
}

/// A window of zero, whose cause the receive buffer shows.
fn window(event: &Event, segment: &SegmentRecord, who: &Text) -> Option<Draft> {
    let buffer = &event.after.as_ref()?.receive_buffer;
    let (queued, capacity) = (buffer.queued, buffer.capacity);
    Some(Draft {
        subject: Subject::Window,
        text: Text {
            en: format!("{} is about to send. How many bytes of window does it offer?", who.en),
            zh: format!("{}即将发送。它通告的窗口是多少字节？", who.zh),
        },
        answer: segment.window_bytes.to_string(),
        choices: Vec::new(),
        explanation: Text {
            en: format!(
                "{queued} of the {capacity} bytes of the receive buffer wait for the application: \
                 the window is {} (RFC 9293 §3.8.6).",
                segment.window_bytes,
            ),
            zh: format!(
                "接收缓冲区 {capacity} 字节中有 {queued} 字节在等待应用程序读取：窗口为 {}（RFC 9293 §3.8.6）。",
                segment.window_bytes,
            ),
        },
    })
}
