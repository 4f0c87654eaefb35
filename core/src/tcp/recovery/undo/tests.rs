use super::Undo;
use crate::tcp::seq::Seq;
use crate::time::Instant;

fn at(ms: u64) -> Instant {
    Instant::from_micros(ms * 1000)
}

fn seq(number: u64) -> Seq {
    Seq::default() + number
}

/// Two segments sent again at 100 ms, of a repair that began at 1000.
fn repair() -> Undo {
    let mut undo = Undo::default();
    undo.begin(seq(1000), 0, true);
    undo.on_repeat(at(100), 1);
    undo.on_repeat(at(120), 1);
    undo
}

#[test]
fn a_dsack_for_each_repetition_explains_it_away() {
    // RFC 2883 §5.
    // RFC 3708 §2: all, not only some.
    let mut undo = repair();
    undo.on_dsack(seq(2000), 1);
    assert!(!undo.is_explained());
    undo.on_dsack(seq(3000), 1);
    assert!(undo.is_explained());
    undo.end();
    assert!(!undo.is_explained(), "once");
}

#[test]
fn a_dsack_from_before_the_repair_says_nothing() {
    let mut undo = repair();
    undo.on_dsack(seq(1000), 2);
    assert!(!undo.is_explained());
}

#[test]
fn an_echo_from_before_the_first_repetition_answers_the_original() {
    // RFC 3522 §3.2.
    let undo = repair();
    assert!(undo.is_original(Some(at(100))), "it left before 100 ms");
    assert!(!undo.is_original(Some(at(101))), "it may be the repetition");
    assert!(!undo.is_original(None), "without a timestamp nobody can tell");
}

#[test]
fn a_repair_that_sent_nothing_again_was_not_needed() {
    let mut undo = Undo::default();
    assert!(!undo.is_original(None), "no repair");
    undo.begin(seq(1000), 0, true);
    assert!(undo.is_original(None));
}

#[test]
fn a_mark_is_never_undone() {
    let mut undo = repair();
    assert!(undo.restores());
    undo.on_mark();
    assert!(!undo.restores());
}

#[test]
fn repetitions_under_way_when_it_begins_count_too() {
    let mut undo = Undo::default();
    undo.begin(seq(1000), 2, true);
    undo.on_dsack(seq(1500), 1);
    assert!(!undo.is_explained());
    undo.on_dsack(seq(1800), 1);
    assert!(undo.is_explained());
}
