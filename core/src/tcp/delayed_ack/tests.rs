use std::time::Duration;

use super::{Arrived, DelayedAck};
use crate::event::Reason;
use crate::time::Instant;
use crate::wire::tcp::Flags;

const DELAY: Duration = Duration::from_millis(40);

/// A segment of `size` bytes at `ms`, in order, under a window of 60,000 bytes.
fn text(ms: u64, size: u32, flags: Flags) -> Arrived {
    Arrived {
        now: Instant::from_micros(1000 * ms),
        size,
        flags,
        wnd: 60_000,
        mss: 1460,
        rto: Duration::from_millis(200),
    }
}

/// No quick acknowledgments; one prompt reply makes a conversation.
fn patient() -> DelayedAck {
    DelayedAck::new(0, 1)
}

fn sent_at(ack: &mut DelayedAck, ms: u64) {
    ack.on_ack_sent();
    ack.on_text_sent(Instant::from_micros(1000 * ms), DELAY);
}

#[test]
fn more_than_one_full_segment_is_acknowledged_at_once() {
    // SHLD-19
    let mut ack = patient();
    ack.on_text(&text(0, 1460, Flags::ACK));
    assert_eq!(ack.due_now(1460), None);
    assert_eq!(ack.due_now(1461), Some(Reason::Acknowledge));
}

#[test]
fn before_a_full_segment_was_seen_it_is_taken_to_be_536_bytes() {
    // RFC 9293 §3.7.1
    let mut ack = patient();
    ack.on_text(&text(0, 10, Flags::ACK));
    assert_eq!(ack.due_now(536), None);
    assert_eq!(ack.due_now(537), Some(Reason::Acknowledge));
}

#[test]
fn two_smaller_segments_of_one_size_are_the_new_size() {
    let mut ack = patient();
    ack.on_text(&text(0, 1460, Flags::ACK));
    ack.on_text(&text(1, 1000, Flags::ACK));
    assert_eq!(ack.segment_size(), 1460);
    ack.on_text(&text(2, 1000, Flags::ACK));
    assert_eq!(ack.segment_size(), 1000);
    for at in 3..9 {
        ack.on_text(&text(at, 300, Flags::ACK | Flags::PSH));
    }
    assert_eq!(ack.segment_size(), 1000, "ends of writes say nothing");
    ack.on_text(&text(9, 9000, Flags::ACK));
    assert_eq!(ack.segment_size(), 1460, "never more than we take");
}

#[test]
fn the_first_acknowledgments_are_quick_until_they_are_used_up() {
    let mut ack = DelayedAck::new(3, 1);
    for at in 0..3 {
        ack.on_text(&text(at, 100, Flags::ACK));
        assert_eq!(ack.due_now(100), Some(Reason::QuickAck));
        ack.on_ack_sent();
    }
    ack.on_text(&text(3, 100, Flags::ACK));
    assert_eq!(ack.due_now(100), None);
}

#[test]
fn a_small_window_has_fewer_quick_acknowledgments() {
    let mut ack = DelayedAck::new(16, 1);
    for at in 0..2 {
        ack.on_text(&Arrived { wnd: 1000, ..text(at, 400, Flags::ACK) });
        assert_eq!(ack.due_now(400), Some(Reason::QuickAck));
        ack.on_ack_sent();
    }
    ack.on_text(&Arrived { wnd: 1000, ..text(2, 400, Flags::ACK) });
    assert_eq!(ack.due_now(400), None);
}

#[test]
fn a_pause_longer_than_the_rto_begins_anew() {
    let mut ack = DelayedAck::new(1, 1);
    ack.on_text(&text(0, 100, Flags::ACK));
    ack.on_ack_sent();
    ack.on_text(&text(200, 100, Flags::ACK));
    assert_eq!(ack.due_now(100), None);
    ack.on_text(&text(401, 100, Flags::ACK));
    assert_eq!(ack.due_now(100), Some(Reason::QuickAck));
}

#[test]
fn a_prompt_reply_makes_the_next_acknowledgment_wait_until_none_comes() {
    let mut ack = DelayedAck::new(16, 1);
    ack.on_text(&text(0, 100, Flags::ACK));
    sent_at(&mut ack, 39);
    assert!(ack.is_interactive());
    ack.on_text(&text(50, 100, Flags::ACK));
    assert_eq!(ack.due_now(100), None);
    ack.on_timeout();
    assert_eq!(ack.due(), Some(Reason::DelayedAck));
    assert!(!ack.is_interactive());
}

#[test]
fn a_late_text_is_no_reply_and_neither_is_the_first() {
    let mut ack = patient();
    sent_at(&mut ack, 0);
    ack.on_text(&text(10, 100, Flags::ACK));
    sent_at(&mut ack, 50);
    assert!(!ack.is_interactive());
}

#[test]
fn several_replies_can_be_asked_for() {
    let mut ack = DelayedAck::new(0, 3);
    for at in 0..3 {
        assert!(!ack.is_interactive());
        ack.on_text(&text(at, 100, Flags::ACK));
        sent_at(&mut ack, at);
    }
    assert!(ack.is_interactive());
}

#[test]
fn reading_all_acknowledges_the_end_of_a_write() {
    let mut ack = DelayedAck::new(16, 1);
    ack.on_text(&text(0, 100, Flags::ACK | Flags::PSH));
    assert!(!ack.is_due_on_read(100, false), "something is left to read");
    assert!(ack.is_due_on_read(100, true));
    ack.on_ack_sent();
    assert!(!ack.is_due_on_read(0, true), "nothing is owed");
    ack.on_text(&text(1, 1460, Flags::ACK));
    assert!(!ack.is_due_on_read(1460, true), "more will follow");
}

#[test]
fn in_a_conversation_it_takes_two_ends_of_writes() {
    let mut ack = DelayedAck::new(16, 1);
    ack.set_interactive(true);
    ack.on_text(&text(0, 100, Flags::ACK | Flags::PSH));
    assert!(!ack.is_due_on_read(100, true));
    ack.on_text(&text(1, 100, Flags::ACK | Flags::PSH));
    assert!(ack.is_due_on_read(200, true));
}

#[test]
fn repeated_data_ends_the_conversation_and_is_answered_quickly() {
    let mut ack = DelayedAck::new(16, 1);
    ack.on_text(&text(0, 100, Flags::ACK));
    sent_at(&mut ack, 1);
    ack.on_repetition(60_000);
    ack.on_text(&text(2, 100, Flags::ACK));
    assert_eq!(ack.due_now(100), Some(Reason::QuickAck));
}

#[test]
fn reading_hastens_nothing_where_quick_acknowledgments_are_off() {
    let mut ack = patient();
    ack.on_text(&text(0, 100, Flags::ACK | Flags::PSH));
    assert!(!ack.is_due_on_read(100, true));
}
