//! Where two runs part, and what was done to the one that parts them.

use super::wording::{segment, signs, who};
use super::{Action, Difference, Fate, Flight, Origin, Rule, Run, Text};

/// The first event in which two runs of one scenario differ; none: they are the same. Everything
/// counts; up to there the runs are equal event by event, since all chance follows from one seed.
pub fn difference(before: &Run, after: &Run) -> Option<Difference> {
    let mut pairs = before.events.iter().zip(&after.events);
    let at = pairs.position(|(one, other)| one != other).or_else(|| {
        let (ours, theirs) = (before.events.len(), after.events.len());
        (ours != theirs).then_some(ours.min(theirs))
    })?;
    let within = |run: &Run| (at < run.events.len()).then_some(at);
    let text = what_was_done(before, after).unwrap_or_else(|| Text {
        en: "From here on the runs differ.".to_owned(),
        zh: "从这里开始，两次运行不同。".to_owned(),
    });
    Some(Difference { before: within(before), after: within(after), text })
}

/// Says what the first rule that only the later run has did to its packet.
fn what_was_done(before: &Run, after: &Run) -> Option<Text> {
    let (Origin::Simulated { rules, .. }, Origin::Simulated { rules: known, .. }) =
        (&after.origin, &before.origin)
    else {
        return None;
    };
    let is_new = |flight: &&Flight| {
        let rule = flight.rule.and_then(|rule| rules.get(rule));
        rule.is_some_and(|rule| !known.contains(rule))
    };
    let flight = after.flights.iter().find(is_new)?;
    let rule = rules.get(flight.rule?)?;
    let (from, to) = (who(after.hosts.get(flight.from)?), who(after.hosts.get(flight.to)?));
    let sent = flight.sent.and_then(|at| after.events.get(at));
    let what = sent.and_then(|event| segment(&event.kind)).map_or_else(String::new, signs);
    Some(told(rule, flight, (&from, &to), &what))
}

fn told(rule: &Rule, flight: &Flight, (from, to): (&Text, &Text), what: &str) -> Text {
    let number = rule.number;
    let (en, zh) = match &rule.action {
        Action::Drop => (
            format!("does not arrive: {} never sees it.", to.en),
            format!("没有到达：{}从未收到它。", to.zh),
        ),
        Action::Delay { delay_ms } => {
            (format!("sets out {delay_ms} ms later."), format!("推迟 {delay_ms} 毫秒出发。"))
        }
        Action::Duplicate => (
            format!("sets out twice: {} gets it two times.", to.en),
            format!("被发出两份：{}会收到两次。", to.zh),
        ),
        Action::Reorder => {
            ("is overtaken by the next one.".to_owned(), "被后一个分组超过。".to_owned())
        }
        Action::Corrupt { .. } if flight.fate == Fate::Damaged => (
            format!("has one bit flipped: the checksum does not fit, {} drops it.", to.en),
            format!("有一位被翻转：校验和不符，{}将其丢弃。", to.zh),
        ),
        Action::Corrupt { .. } => ("has one bit flipped.".to_owned(), "有一位被翻转。".to_owned()),
    };
    Text {
        en: format!("Packet {number} of {} ({what}) {en}", from.en),
        zh: format!("{}的第 {number} 个分组（{what}）{zh}", from.zh),
    }
}
