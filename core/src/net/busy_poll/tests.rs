use super::*;

/// How many of `waits` look, when each look ends as `was_found` says.
fn looks(poll: &mut BusyPoll, waits: usize, was_found: bool) -> usize {
    (0..waits)
        .filter(|_| {
            let looks = poll.begin();
            if looks {
                poll.learn(was_found);
            }
            looks
        })
        .count()
}

#[test]
fn where_looking_finds_packets_every_wait_looks() {
    assert_eq!(looks(&mut BusyPoll::on(2), 1000, true), 1000);
}

#[test]
fn where_looking_is_in_vain_one_wait_in_64_looks_in_the_end() {
    let mut poll = BusyPoll::on(2);
    // After 1, 3, 7, 15, 31 waits more each.
    assert_eq!(looks(&mut poll, 6 + 57, false), 6);
    assert_eq!(looks(&mut poll, 6400, false), 100);
}

#[test]
fn a_bulk_after_long_silence_is_believed_in_after_64_waits() {
    let mut poll = BusyPoll::on(2);
    looks(&mut poll, 10_000, false);
    looks(&mut poll, 64, true);
    assert_eq!(looks(&mut poll, 1000, true), 1000);
    // A single miss now costs a few waits only, as it halves with every hit.
    assert_eq!(looks(&mut poll, 1, false), 1);
    assert_eq!(looks(&mut poll, 100, true), 99);
}

#[test]
fn on_a_single_processor_nobody_looks() {
    assert_eq!(looks(&mut BusyPoll::on(1), 1000, true), 0);
}
