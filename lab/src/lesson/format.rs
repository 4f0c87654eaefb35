//! A lesson's file word for word: its tables and keys, each value with its place for error messages.
//! Unknown keys and values of a wrong kind are refused here; what the parts mean together is for
//! [`check`](super::check). docs/LESSONS.md describes all of it to those who write lessons.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::View;
use super::values::{Bounded, Id, Setting, Time};
use crate::run::Text;

/// Bytes that one call sends or receives at most.
const BYTES_MAX: u64 = 16 << 20;
/// How often a call is repeated at most.
const REPEAT_MAX: u64 = 10_000;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LessonToml {
    pub(super) number: Bounded<1, 999>,
    pub(super) id: Id,
    pub(super) title: Text,
    pub(super) summary: Text,
    #[serde(default, rename = "section")]
    pub(super) sections: Vec<SectionToml>,
    #[serde(rename = "scenario")]
    pub(super) scenarios: Vec<ScenarioToml>,
}

/// `[[section]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SectionToml {
    pub(super) title: Text,
    pub(super) text: Text,
    pub(super) scenario: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) landmarks: Vec<Spanned<String>>,
}

/// `[[scenario]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScenarioToml {
    pub(super) id: Spanned<Id>,
    pub(super) title: Text,
    pub(super) text: Text,
    pub(super) extends: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) beside: Vec<Spanned<String>>,
    pub(super) view: Option<View>,
    pub(super) seed: Option<Bounded<0, { u32::MAX as u64 }>>,
    pub(super) until: Option<Time>,
    #[serde(default)]
    pub(super) link: LinkToml,
    #[serde(default, rename = "host")]
    pub(super) hosts: Vec<HostToml>,
    #[serde(default, rename = "program")]
    pub(super) programs: Vec<ProgramToml>,
    #[serde(default, rename = "rule")]
    pub(super) rules: Vec<RuleToml>,
    #[serde(default, rename = "inject")]
    pub(super) injections: Vec<InjectToml>,
    #[serde(default, rename = "landmark")]
    pub(super) landmarks: Vec<LandmarkToml>,
    #[serde(default, rename = "experiment")]
    pub(super) experiments: Vec<ExperimentToml>,
}

/// `[scenario.link]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkToml {
    #[serde(default)]
    pub(super) both: BTreeMap<String, Spanned<Setting>>,
    /// By the name of the host that sends.
    #[serde(default)]
    pub(super) from: BTreeMap<String, BTreeMap<String, Spanned<Setting>>>,
}

/// `[[scenario.host]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HostToml {
    pub(super) name: Spanned<Id>,
    pub(super) role: Option<crate::run::Role>,
    pub(super) address: Option<Spanned<std::net::IpAddr>>,
    pub(super) mtu: Option<Bounded<576, 65_535>>,
    #[serde(default)]
    pub(super) outside: bool,
    #[serde(default)]
    pub(super) knobs: BTreeMap<String, Spanned<Setting>>,
}

/// `[[scenario.program]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProgramToml {
    pub(super) host: Spanned<String>,
    pub(super) name: Option<Id>,
    #[serde(default)]
    pub(super) start: Time,
    #[serde(default)]
    pub(super) listings: Vec<Spanned<String>>,
    pub(super) calls: Vec<Spanned<CallToml>>,
}

/// One entry of `calls`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallToml {
    pub(super) call: Spanned<String>,
    pub(super) on: Option<Spanned<String>>,
    #[serde(rename = "as")]
    pub(super) name: Option<Id>,
    pub(super) address: Option<Spanned<String>>,
    pub(super) backlog: Option<Bounded<0, 65_535>>,
    pub(super) text: Option<String>,
    pub(super) bytes: Option<Bounded<1, BYTES_MAX>>,
    pub(super) flags: Option<Vec<Spanned<String>>>,
    pub(super) max: Option<Bounded<1, BYTES_MAX>>,
    pub(super) until: Option<Spanned<UntilToml>>,
    pub(super) how: Option<Spanned<String>>,
    pub(super) option: Option<Spanned<String>>,
    pub(super) value: Option<Spanned<Setting>>,
    #[serde(rename = "for")]
    pub(super) time: Option<Time>,
    pub(super) by: Option<Spanned<String>>,
    pub(super) repeat: Option<Bounded<1, REPEAT_MAX>>,
    pub(super) pause: Option<Time>,
    pub(super) expect: Option<String>,
    pub(super) source: Option<Spanned<String>>,
}

/// How long a call is repeated.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum UntilToml {
    Bytes(u64),
    Word(String),
}

/// `[[scenario.rule]]`, and what an experiment does.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleToml {
    pub(super) from: Spanned<String>,
    pub(super) number: Bounded<1, 1_000_000>,
    /// The last of several.
    pub(super) last: Option<Spanned<Bounded<1, 1_000_000>>>,
    pub(super) action: Spanned<String>,
    pub(super) delay: Option<Time>,
    pub(super) bit: Option<Bounded<0, 524_279>>,
}

/// `[[scenario.inject]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InjectToml {
    pub(super) at: Time,
    pub(super) from: Spanned<String>,
    pub(super) to: Spanned<String>,
    /// Whose address it bears: an address and port, or a host that is imitated.
    pub(super) source: Option<Spanned<String>>,
    pub(super) port: Option<Bounded<1, 65_535>>,
    pub(super) flags: Spanned<String>,
    pub(super) seq: Option<i64>,
    pub(super) ack: Option<i64>,
    pub(super) window: Option<Bounded<0, 65_535>>,
    pub(super) text: Option<String>,
    pub(super) count: Option<Bounded<1, REPEAT_MAX>>,
    pub(super) every: Option<Time>,
}

/// `[[scenario.landmark]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LandmarkToml {
    pub(super) id: Spanned<Id>,
    pub(super) title: Text,
    pub(super) text: Text,
    pub(super) event: EventToml,
}

/// Which event it is: all that is said has to hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventToml {
    pub(super) host: Spanned<String>,
    pub(super) kind: Spanned<String>,
    pub(super) flags: Option<Spanned<String>>,
    pub(super) retransmission: Option<bool>,
    pub(super) len: Option<u64>,
    pub(super) window: Option<u64>,
    pub(super) state: Option<Spanned<String>>,
    pub(super) call: Option<String>,
    pub(super) result: Option<String>,
    pub(super) timer: Option<Spanned<tcpstack::event::TimerName>>,
    pub(super) reason: Option<Spanned<tcpstack::event::Reason>>,
    pub(super) counter: Option<String>,
    pub(super) phase: Option<String>,
    pub(super) after: Option<Spanned<String>>,
    pub(super) nth: Option<Bounded<1, 1_000_000>>,
}

/// `[[scenario.experiment]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExperimentToml {
    pub(super) text: Text,
    #[serde(rename = "rule")]
    pub(super) rules: Vec<RuleToml>,
}
