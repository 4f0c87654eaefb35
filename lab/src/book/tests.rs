//! The book is complete, in both languages, and its numbers are the header's.

use std::collections::BTreeSet;

use tcpstack::event::{Reason, TimerName};
use tcpstack::host::Counters;
use tcpstack::tcp::State;
use tcpstack::tcp::congestion::Phase;
use tcpstack::wire::tcp::Flags;

use super::{Book, Term, book};

fn is_chinese(text: &str) -> bool {
    text.chars().any(|character| ('\u{4e00}'..='\u{9fff}').contains(&character))
}

fn ids<'a>(terms: impl IntoIterator<Item = &'a String>) -> BTreeSet<&'a str> {
    terms.into_iter().map(String::as_str).collect()
}

/// Every term of the book, with where it stands.
fn every_term(book: &Book) -> Vec<(String, &Term)> {
    let maps = [
        ("flag", &book.flags),
        ("state", &book.states),
        ("timer", &book.timers),
        ("limit", &book.limits),
        ("phase", &book.phases),
        ("counter", &book.counters),
        ("reason", &book.reasons),
    ];
    let named = maps.into_iter().flat_map(|(what, terms)| {
        terms.iter().map(move |(id, term)| (format!("{what} {id}"), term))
    });
    let fields = book.header.iter().map(|field| (format!("field {}", field.id), &field.term));
    let options = book.options.iter().map(|(kind, term)| (format!("option {kind}"), term));
    named.chain(fields).chain(options).collect()
}

#[test]
fn every_text_is_in_both_languages() {
    for (place, term) in every_term(&book()) {
        assert!(is_chinese(&term.text.zh), "{place}: {:?}", term.text.zh);
        assert!(!is_chinese(&term.text.en), "{place}: {:?}", term.text.en);
        assert!(!term.name.en.is_empty() && !term.name.zh.is_empty(), "{place} has no name");
        assert!(!is_chinese(&term.name.en), "{place}: {:?}", term.name.en);
        assert!(term.name.en.len() <= 32, "{place}: {:?} is long for a picture", term.name.en);
        // What a host counts for its own sake is defined nowhere else.
        assert!(term.clause.is_some() || place.starts_with("counter"), "{place} has no clause");
    }
}

/// The protocol's own names stay as they are in every language; all others are translated.
#[test]
fn names_are_translated_unless_they_are_the_protocols_own() {
    for (place, term) in every_term(&book()) {
        let protocols_own = term.name.en == term.name.zh;
        let name = &term.name.en;
        let is_capital =
            name.chars().all(|c| c.is_ascii_uppercase() || c == '-' || c.is_ascii_digit());
        assert!(is_chinese(&term.name.zh) || protocols_own && is_capital, "{place}: {name}");
    }
    for way in book().transitions {
        assert!(is_chinese(&way.label.zh) && !is_chinese(&way.label.en), "{way:?}");
    }
}

#[test]
fn the_fields_lie_one_behind_the_other_and_fill_twenty_bytes() {
    let mut bit = 0;
    for field in book().header {
        assert_eq!(field.bit, bit, "{}", field.id);
        bit += field.bits;
    }
    assert_eq!(bit, 20 * 8);
}

#[test]
fn every_flag_stands_at_its_bit() {
    let book = book();
    for (bit, name) in (0..9).map(|bit| (bit, Flags(1 << bit).to_string())) {
        assert!(book.flags.contains_key(&name), "{name}");
        let field = book.header.iter().find(|field| field.id == name);
        // The lowest flag, FIN, is the last bit of the fourteenth byte.
        assert_eq!(field.map(|field| (field.bit, field.bits)), Some((111 - bit, 1)), "{name}");
    }
}

#[test]
fn every_reason_has_a_term() {
    let book = book();
    let expected: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.id()).collect();
    assert_eq!(ids(book.reasons.keys()), expected, "a reason needs its row in book/reasons.rs");
    let named: BTreeSet<&str> = super::reasons::names().collect();
    assert_eq!(named, expected, "a name is for no reason");
}

#[test]
fn every_timer_has_a_term() {
    let names = TimerName::ALL.map(|timer| match serde_json::to_value(timer) {
        Ok(serde_json::Value::String(name)) => name,
        other => panic!("a timer's name is no text: {other:?}"),
    });
    assert_eq!(ids(book().timers.keys()), ids(&names));
}

#[test]
fn every_counter_has_a_term() {
    let counters = Counters::default();
    let expected: BTreeSet<&str> = counters.iter().map(|(name, _)| name).collect();
    assert_eq!(ids(book().counters.keys()), expected);
}

#[test]
fn every_phase_has_a_term() {
    let phases = [
        Phase::SlowStart,
        Phase::ConservativeSlowStart,
        Phase::CongestionAvoidance,
        Phase::Recovery,
        Phase::Cwr,
        Phase::Loss,
        Phase::Startup,
        Phase::Drain,
        Phase::ProbeBwDown,
        Phase::ProbeBwCruise,
        Phase::ProbeBwRefill,
        Phase::ProbeBwUp,
        Phase::ProbeRtt,
    ];
    let expected: BTreeSet<&str> = phases.iter().map(|phase| phase.name()).collect();
    assert_eq!(ids(book().phases.keys()), expected);
}

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

#[test]
fn every_state_has_a_term_and_can_be_reached_and_left() {
    let book = book();
    let expected: BTreeSet<&str> = STATES.iter().map(|state| state.name()).collect();
    assert_eq!(ids(book.states.keys()), expected);
    assert_eq!(ids(book.transitions.iter().map(|way| &way.from)), expected);
    assert_eq!(ids(book.transitions.iter().map(|way| &way.to)), expected);
}

/// Figure 5 has 20 arrows; its note 2 adds one.
#[test]
fn the_ways_are_those_of_the_figure() {
    let book = book();
    let ways: BTreeSet<(&str, &str)> =
        book.transitions.iter().map(|way| (way.from.as_str(), way.to.as_str())).collect();
    assert_eq!(ways.len(), 21);
    assert_eq!(ways.len(), book.transitions.len(), "a way stands twice");
    assert!(ways.contains(&("FIN-WAIT-1", "TIME-WAIT")));
}
