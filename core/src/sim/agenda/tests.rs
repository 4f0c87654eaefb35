use super::*;

const LINK: Source = Source::Link { link: 3, direction: 1 };
const HOST: Source = Source::Host(0);

fn at(ns: u64) -> Instant {
    Instant::from_nanos(ns)
}

#[test]
fn the_earliest_comes_first() {
    let mut agenda = Agenda::default();
    agenda.set(LINK, Some(at(20)));
    agenda.set(HOST, Some(at(10)));
    assert_eq!(agenda.next(), Some((at(10), HOST)));
}

#[test]
fn a_packet_comes_before_a_timer_of_the_same_moment() {
    let mut agenda = Agenda::default();
    agenda.set(HOST, Some(at(10)));
    agenda.set(LINK, Some(at(10)));
    assert_eq!(agenda.next(), Some((at(10), LINK)));
}

#[test]
fn a_source_has_one_deadline_the_last_that_was_set() {
    let mut agenda = Agenda::default();
    agenda.set(HOST, Some(at(10)));
    agenda.set(HOST, Some(at(30)));
    assert_eq!(agenda.next(), Some((at(30), HOST)));
    agenda.set(HOST, None);
    assert_eq!(agenda.next(), None);
}
