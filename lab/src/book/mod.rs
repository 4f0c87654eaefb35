//! The book: what a view has to know of TCP in general, and every text about it in both languages.
//!
//! Views look names up here and never know more than that: what the bits of a header are called, which
//! ways lead from one state to another, what a timer, a limit or a reason is. The book is the same for
//! every run.
//!
//! Each kind of thing has its table in a file of its own; nothing here repeats what another table of the
//! project says (the sentences of the reasons are the stack's).

mod counters;
mod entry;
mod flags;
mod header;
mod limits;
mod options;
mod phases;
mod reasons;
mod states;
mod timers;
mod transitions;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::run::Text;

/// Everything there is to look up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Book {
    /// The fields of the TCP header in the order of their bits; options follow by [`Book::options`].
    pub header: Vec<HeaderField>,
    /// The options by their kind's number.
    pub options: BTreeMap<u8, Term>,
    /// The flags by their names in events: `SYN`, `ACK`, ...
    pub flags: BTreeMap<String, Term>,
    /// The states by their names in events.
    pub states: BTreeMap<String, Term>,
    /// The ways between the states (RFC 9293 §3.3.2, figure 5).
    pub transitions: Vec<Transition>,
    /// The timers by their names in events.
    pub timers: BTreeMap<String, Term>,
    /// What limits a sender, by the names in events.
    pub limits: BTreeMap<String, Term>,
    /// The phases of the congestion controllers.
    pub phases: BTreeMap<String, Term>,
    /// The counters that a dropped packet goes to.
    pub counters: BTreeMap<String, Term>,
    /// Why something is done, by the id in events.
    pub reasons: BTreeMap<String, Term>,
}

/// A word and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Term {
    /// What it is called on a picture: short.
    pub name: Text,
    /// What it means: a sentence or two.
    pub text: Text,
    /// Where it is defined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
}

/// A field of the TCP header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeaderField {
    /// `source_port`, `seq`, `ack`, `data_offset`, `reserved`, the flags by their names, `window`, ...
    pub id: String,
    /// Its first bit, counted from the header's first.
    pub bit: u32,
    /// How many bits it has.
    pub bits: u32,
    /// Its name and meaning.
    pub term: Term,
}

/// A way from one state to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transition {
    /// From this state.
    pub from: String,
    /// To this one.
    pub to: String,
    /// What leads over it, and what is sent.
    pub label: Text,
}

/// The book, complete: every name that an event can bear has its term.
pub fn book() -> Book {
    Book {
        header: header::fields(),
        options: options::terms(),
        flags: entry::terms(flags::ENTRIES),
        states: entry::terms(states::ENTRIES),
        transitions: transitions::transitions(),
        timers: entry::terms(timers::ENTRIES),
        limits: entry::terms(limits::ENTRIES),
        phases: entry::terms(phases::ENTRIES),
        counters: entry::terms(counters::ENTRIES),
        reasons: reasons::terms(),
    }
}

#[cfg(test)]
mod tests;
