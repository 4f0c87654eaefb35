use super::NewReno;
use crate::tcp::sender::Sender;

const SMSS: u64 = 1000;

/// Ten segments outstanding.
fn ten_out() -> Sender {
    let mut snd = Sender::new(0, SMSS as u32);
    snd.advance(10 * SMSS);
    snd
}

#[test]
fn each_duplicate_is_a_segment_that_has_left_the_network() {
    // RFC 5681 §3.2; RFC 3042: the first two let new segments out.
    let (snd, mut newreno) = (ten_out(), NewReno::default());
    assert_eq!(newreno.on_duplicates(2, false), 2);
    assert_eq!(newreno.gone(&snd), 2 * SMSS);
}

#[test]
fn the_segment_they_ask_for_stays_counted() {
    let (snd, mut newreno) = (ten_out(), NewReno::default());
    newreno.on_duplicates(50, false);
    assert_eq!(newreno.gone(&snd), 9 * SMSS);
}

#[test]
fn in_a_repair_no_more_are_believed_than_segments_were_out() {
    let (snd, mut newreno) = (ten_out(), NewReno::default());
    newreno.on_duplicates(3, false);
    newreno.limit(&snd, 3);
    assert_eq!(newreno.on_duplicates(100, true), 7);
    assert_eq!(newreno.on_duplicates(100, true), 0, "forged ones gain nothing");
}

#[test]
fn a_partial_ack_takes_off_what_it_covers_behind_the_hole() {
    // RFC 6582 §3.2 step 3: segments 1 and 4 of ten were lost, eight duplicates came.
    let (mut snd, mut newreno) = (ten_out(), NewReno::default());
    newreno.on_duplicates(8, false);
    snd.acknowledge(snd.una + 3 * SMSS);
    assert_eq!(newreno.on_partial(&snd, 3 * SMSS), SMSS, "the hole alone was not known of");
    assert_eq!(newreno.duplicates(), 6);
}
