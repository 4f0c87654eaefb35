//! What crosses the edge of a window is neither lost nor doubled.

use super::settle;
use crate::run::{Fate, Flight, Host, Role, Run};

fn flight(sent_ns: Option<u64>, received_ns: Option<u64>, fate: Fate) -> Flight {
    // One event a nanosecond.
    let [sent, received] = [sent_ns, received_ns].map(|at| at.map(|at| at as usize));
    Flight {
        from: 0,
        to: 1,
        number: None,
        sent,
        received,
        sent_ns,
        received_ns,
        fate,
        lost_segments: 0,
        rule: None,
    }
}

fn run() -> Run {
    let host = |name: &str| Host {
        name: name.to_owned(),
        role: Role::Peer,
        addresses: Vec::new(),
        recorded: true,
    };
    let mut run = crate::recording::run(&[], false);
    run.hosts = vec![host("a"), host("b")];
    run.flights = vec![
        flight(None, Some(5), Fate::Duplicate),
        flight(Some(1), Some(10), Fate::Arrived),
        flight(Some(2), None, Fate::Lost),
        flight(Some(3), Some(12), Fate::Arrived),
        flight(None, Some(13), Fate::Duplicate),
        flight(Some(4), None, Fate::Lost),
    ];
    run
}

fn fates(run: &Run) -> Vec<Fate> {
    run.flights.iter().map(|flight| flight.fate).collect()
}

#[test]
fn only_what_the_edge_cuts_off_is_told_otherwise() {
    let mut run = run();
    settle(&mut run, true, true);
    let told =
        [Fate::Arrived, Fate::Arrived, Fate::Lost, Fate::Arrived, Fate::Duplicate, Fate::Underway];
    assert_eq!(fates(&run), told);
}

#[test]
fn at_the_ends_of_the_recording_nothing_is_excused() {
    let mut whole = run();
    settle(&mut whole, false, false);
    assert_eq!(fates(&whole), fates(&run()));
}
