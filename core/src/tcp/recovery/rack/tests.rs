use std::time::Duration;

use super::{Paths, Rack, ReorderingWindow};
use crate::tcp::delivery_rate::SentSnapshot;
use crate::tcp::recovery::scoreboard::{Departure, Scoreboard};
use crate::tcp::seq::Seq;
use crate::time::Instant;

const PATHS: Paths = Paths { min_rtt: ms(40), srtt: ms(48) };

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn at(ms: u64) -> Instant {
    Instant::from_micros(ms * 1000)
}

fn seq(segment: u64) -> Seq {
    Seq::from_initial(0) + 1000 * segment
}

/// A sender whose segments, 1000 bytes each, are numbered from 0.
struct Sender {
    board: Scoreboard,
    rack: Rack,
    window: ReorderingWindow,
}

impl Sender {
    fn new() -> Sender {
        Sender {
            board: Scoreboard::default(),
            rack: Rack::new(seq(0)),
            window: ReorderingWindow::default(),
        }
    }

    fn send(&mut self, ms: u64, segment: u64) {
        self.board.on_transmit(&Departure {
            start: seq(segment),
            end: seq(segment + 1),
            segment_size: 1000,
            is_repeat: false,
            now: at(ms),
            rate: SentSnapshot::default(),
        });
    }

    /// The peer SACKs a segment.
    fn sack(&mut self, ms: u64, segment: u64) {
        let fack = self.rack.fack();
        let (rack, window) = (&mut self.rack, &mut self.window);
        self.board.sack(seq(segment), seq(segment + 1), |record| {
            if rack.detect_reordering(record, fack).is_some() {
                window.on_reordering();
            }
            rack.on_delivered(at(ms), record, None, Some(PATHS.min_rtt));
        });
    }

    /// The segments that are found lost, and when more may be.
    fn detect(&mut self, ms: u64, is_hurried: bool) -> (Vec<u64>, Option<Instant>) {
        let window = self.window.get(is_hurried, PATHS);
        let mut lost = Vec::new();
        let number = |seq: Seq| seq.since(self::seq(0)) / 1000;
        let again = self.rack.detect_loss(at(ms), window, &mut self.board, |record| {
            lost.push(number(record.start));
        });
        self.board.check();
        (lost, again)
    }
}

#[test]
fn what_was_sent_before_the_newest_delivered_is_lost_after_a_quarter_of_a_round_trip() {
    // RFC 8985 §6.2 step 5: 0 and 1 are sent at 0 ms, 2 at 5 ms; 2 arrives.
    let mut sender = Sender::new();
    sender.send(0, 0);
    sender.send(0, 1);
    sender.send(5, 2);
    sender.sack(45, 2);
    // 0 + RTT of 40 + window of 10
    assert_eq!(sender.detect(45, false), (vec![], Some(at(50))));
    assert_eq!(sender.detect(50, false), (vec![0, 1], None));
}

#[test]
fn in_a_recovery_without_reordering_nothing_is_waited_for() {
    // Step 4: RACK.reo_wnd is 0.
    let mut sender = Sender::new();
    sender.send(0, 0);
    sender.send(0, 1);
    sender.sack(40, 1);
    assert_eq!(sender.detect(40, true), (vec![0], None));
}

#[test]
fn what_was_sent_later_is_not_judged() {
    let mut sender = Sender::new();
    (0..4).for_each(|segment| sender.send(segment, segment));
    sender.sack(41, 1);
    assert_eq!(sender.detect(100, true), (vec![0], None), "2 and 3 may be on their way");
}

#[test]
fn a_lost_retransmission_is_found_by_what_was_sent_after_it() {
    let mut sender = Sender::new();
    (0..3).for_each(|segment| sender.send(0, segment));
    sender.sack(40, 2);
    assert_eq!(sender.detect(40, true).0, [0, 1]);
    sender.send(41, 0);
    sender.send(42, 1);
    sender.send(43, 3);
    sender.sack(83, 3);
    assert_eq!(sender.detect(83, true), (vec![0, 1], None));
}

#[test]
fn a_retransmission_that_seems_too_fast_is_ignored() {
    // Step 2: the original arrived.
    let mut sender = Sender::new();
    (0..3).for_each(|segment| sender.send(0, segment));
    sender.sack(40, 2);
    sender.detect(40, true);
    sender.send(41, 1);
    sender.send(50, 3);
    sender.sack(51, 1);
    assert_eq!(sender.detect(51, true), (vec![], None));
    assert_eq!(sender.rack.newest.0, at(0), "10 ms is no round trip here");
}

#[test]
fn reordering_that_was_seen_keeps_the_window_open() {
    // Step 3, step 4.
    let mut sender = Sender::new();
    (0..4).for_each(|segment| sender.send(0, segment));
    sender.sack(40, 2);
    sender.sack(41, 0);
    sender.sack(42, 3);
    assert_eq!(sender.detect(42, true), (vec![], Some(at(52))), "though in a hurry");
}

#[test]
fn each_round_trip_with_a_dsack_widens_the_window_up_to_a_round_trip() {
    // Step 4.
    let mut window = ReorderingWindow::default();
    assert_eq!(window.get(false, PATHS), ms(10));
    window.on_dsack(seq(1), seq(5));
    window.on_dsack(seq(2), seq(6));
    assert_eq!(window.get(false, PATHS), ms(20), "once a round trip");
    window.on_dsack(seq(5), seq(9));
    assert_eq!(window.get(false, PATHS), ms(30));
    (2..20).for_each(|round| window.on_dsack(seq(10 * round), seq(10 * round + 5)));
    assert_eq!(window.get(false, PATHS), ms(48), "SRTT");
}

#[test]
fn after_sixteen_recoveries_without_a_dsack_the_window_is_small_again() {
    let mut window = ReorderingWindow::default();
    window.on_dsack(seq(1), seq(5));
    (0..15).for_each(|_| window.on_recovered());
    assert_eq!(window.get(false, PATHS), ms(20));
    window.on_recovered();
    assert_eq!(window.get(false, PATHS), ms(10));
}
