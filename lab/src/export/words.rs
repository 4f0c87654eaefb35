//! What pictures say that no run says: the legend, and a description for who cannot see the picture.

use tcpstack::event::{Kind, Language};

use crate::caption;
use crate::run::{Fate, Origin, Run};
use crate::text::duration;

/// One of two texts.
pub(super) fn choose(language: Language, english: &str, chinese: &str) -> String {
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
    .to_owned()
}

/// What is to be seen in `run`, in a few sentences.
pub(super) fn description(run: &Run, language: Language) -> String {
    let hosts: Vec<String> = run.hosts.iter().map(|host| caption::host(host, language)).collect();
    let of = |fate| run.flights.iter().filter(|flight| flight.fate == fate).count();
    let again = run.events.iter().filter(|event| match &event.kind {
        Kind::SegmentSent(record) => record.retransmission,
        _ => false,
    });
    let (segments, lost, again) = (run.flights.len(), of(Fate::Lost), again.count());
    let first = run.events.first().map_or(0, |event| event.time_ns);
    let last = run.events.last().map_or(0, |event| event.time_ns);
    let time = duration(last.saturating_sub(first));
    let remarks: String = match &run.origin {
        // What an onlooker cannot know is said wherever the picture goes.
        Origin::Captured { remarks, .. } => {
            remarks.iter().map(|remark| format!(" {}", remark.of(language))).collect()
        }
        _ => String::new(),
    };
    let told = match language {
        Language::English => format!(
            "Sequence diagram. Time runs downwards, {time} in all. Hosts from left to right: {}. \
             {segments} segments, {lost} lost, {again} sent again.",
            hosts.join(", "),
        ),
        Language::Chinese => format!(
            "时序图。时间自上而下，共 {time}。主机从左到右：{}。报文段 {segments} 个，丢失 {lost} 个，重传 {again} 个。",
            hosts.join("、"),
        ),
    };
    told + &remarks
}

/// The signs of the picture that a legend explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Arrow,
    Lost,
    Damaged,
    Duplicate,
    Unwitnessed,
    Again,
    Fold,
}

/// What `sign` means, in a few words.
pub(super) fn meaning(sign: Sign, language: Language) -> String {
    let (english, chinese) = match sign {
        Sign::Arrow => ("a segment, as steep as it was slow", "报文段：越陡传输越慢"),
        Sign::Lost => ("lost on its way", "途中丢失"),
        Sign::Damaged => ("arrived damaged, refused", "到达但已损坏，被丢弃"),
        Sign::Duplicate => ("arrived once more", "重复到达"),
        Sign::Unwitnessed => ("seen at one end only", "只有一端的记录"),
        Sign::Again => ("sent again", "重传"),
        Sign::Fold => ("idle time, folded", "空闲时间（已折叠）"),
    };
    choose(language, english, chinese)
}

/// That the picture ends before the run.
pub(super) fn left_out(events: usize, language: Language) -> String {
    match language {
        Language::English => format!("… and {events} more events"),
        Language::Chinese => format!("……还有 {events} 个事件"),
    }
}
