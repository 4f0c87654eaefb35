//! The stage: plays a scenario in a [`World`](tcpstack::sim::World), with the reader's rules on top.
//!
//! The hosts are the real stack; what is made up is the network, the clock and the programs, which are
//! sequences of blocking calls. The same scenario with the same rules gives the same run, event by event.
//! Simulated time, events and bytes are bounded; a scenario that would go on is cut off there.

mod act;
mod inject;
mod landmarks;
mod outcome;
mod player;
mod setting;

use crate::lesson::{LessonFile, Scenario};
use crate::run::{HostIndex, Position, Rule, Run, Text};

/// Events of one run, about as many as a page shows.
pub const EVENTS_MAX: usize = 20_000;
/// Rules that a reader adds.
const RULES_MAX: usize = 1000;

/// Why a scenario was not played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlayError {
    /// The lesson has no such scenario.
    #[error("the lesson has no scenario `{asked}`: expected one of {known}")]
    NoSuchScenario {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// A rule names no host of the scenario that sends packets.
    #[error("`{from}` sends no packets in this scenario: expected one of {known}")]
    NoSuchHost {
        /// What the rule says.
        from: String,
        /// Who does.
        known: String,
    },
    /// A rule is for a packet that is sent neither with the reader's rules nor without.
    #[error(
        "there is no packet {number} of `{from}`: it sends {sent} in this scenario, numbered from 1"
    )]
    NoSuchPacket {
        /// Who should send it.
        from: String,
        /// What the rule says.
        number: u64,
        /// How many there are.
        sent: u64,
    },
    /// There are too many of them.
    #[error("{0} rules: expected {RULES_MAX} at most")]
    TooManyRules(usize),
}

impl PlayError {
    /// The same for a reader, in each language.
    pub fn text(&self) -> Text {
        let zh = match self {
            PlayError::NoSuchScenario { asked, known } => {
                format!("本课没有场景 {asked}，现有：{known}。")
            }
            PlayError::NoSuchHost { from, known } => {
                format!("本场景中 {from} 不发送分组，发送分组的有：{known}。")
            }
            PlayError::NoSuchPacket { from, number, sent } => {
                format!(
                    "没有 {from} 的第 {number} 个分组：它在本场景中共发送 {sent} 个，从 1 开始编号。"
                )
            }
            PlayError::TooManyRules(count) => {
                format!("规则有 {count} 条，最多 {RULES_MAX} 条。")
            }
        };
        Text { en: format!("{self}."), zh }
    }
}

/// What was played.
#[derive(Clone, Debug)]
pub struct Performance {
    /// The run.
    pub run: Run,
    /// Every packet as it was seen at every host, in order of time.
    pub packets: Vec<Packet>,
    /// Where programs did not do what the scenario expects of them, in English, for who writes it.
    pub surprises: Vec<String>,
}

/// A packet as it was seen at a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When, in nanoseconds.
    pub time_ns: u64,
    /// Where.
    pub host: HostIndex,
    /// Whether it left there, or arrived.
    pub outbound: bool,
    /// The event that tells of it there.
    pub event: Option<Position>,
    /// From the IP header on.
    pub bytes: Vec<u8>,
}

/// Plays a scenario of a lesson, `rules` being those of whoever watches.
///
/// # Errors
/// [`PlayError`] says what would be right.
pub fn play(lesson: &LessonFile, scenario: &str, rules: &[Rule]) -> Result<Run, PlayError> {
    perform(lesson, scenario, rules).map(|performance| performance.run)
}

/// [`play`], and the packets themselves.
///
/// # Errors
/// Those of [`play`].
pub fn perform(
    lesson: &LessonFile,
    scenario: &str,
    rules: &[Rule],
) -> Result<Performance, PlayError> {
    let scenario = scenario_of(lesson, scenario)?;
    check_rules(scenario, rules)?;
    // The reader's come first: what the reader does to a packet is what happens to it.
    let own = rules.iter().map(|rule| Rule { of_scenario: false, ..rule.clone() });
    let all: Vec<Rule> = own.chain(scenario.rules.iter().cloned()).collect();
    let mut setting = setting::Setting::new(scenario, &all);
    let acted = act::act(scenario, &mut setting);
    check_numbers(scenario, rules, &setting)?;
    Ok(outcome::outcome(lesson.lesson.number, scenario, all, &setting, acted))
}

/// The scenario of this lesson with this id.
///
/// # Errors
/// [`PlayError::NoSuchScenario`] says which there are.
pub fn scenario_of<'a>(lesson: &'a LessonFile, id: &str) -> Result<&'a Scenario, PlayError> {
    lesson.scenario(id).ok_or_else(|| {
        let ids: Vec<&str> = lesson.scenarios.iter().map(|one| one.id.as_str()).collect();
        PlayError::NoSuchScenario { asked: id.to_owned(), known: ids.join(", ") }
    })
}

/// Refuses a rule for a packet that nobody can have seen: it was sent neither in what was played with the
/// rules nor without them.
fn check_numbers(
    scenario: &Scenario,
    rules: &[Rule],
    played: &setting::Setting,
) -> Result<(), PlayError> {
    let most = |setting: &setting::Setting, rule: &Rule| setting.sent_by(scenario, &rule.from);
    let unmet =
        |setting| rules.iter().find(|rule| !(1..=most(setting, rule)).contains(&rule.number));
    if unmet(played).is_none() {
        return Ok(());
    }
    let mut plain = setting::Setting::new(scenario, &scenario.rules);
    act::act(scenario, &mut plain);
    for rule in rules {
        let sent = most(played, rule).max(most(&plain, rule));
        if !(1..=sent).contains(&rule.number) {
            let (from, number) = (rule.from.clone(), rule.number);
            return Err(PlayError::NoSuchPacket { from, number, sent });
        }
    }
    Ok(())
}

fn check_rules(scenario: &Scenario, rules: &[Rule]) -> Result<(), PlayError> {
    if rules.len() > RULES_MAX {
        return Err(PlayError::TooManyRules(rules.len()));
    }
    let senders = || scenario.hosts.iter().filter(|host| !host.outside);
    for rule in rules {
        if !senders().any(|host| host.name == rule.from) {
            let names: Vec<&str> = senders().map(|host| host.name.as_str()).collect();
            let (from, known) = (rule.from.clone(), names.join(", "));
            return Err(PlayError::NoSuchHost { from, known });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
