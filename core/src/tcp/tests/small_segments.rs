//! What waits for more and what does not: Nagle, TCP_CORK, MSG_MORE, the ends of records, and how
//! far the application writes ahead.

use std::time::Duration;

use super::*;
use crate::readiness::Readiness;
use crate::tcp::SendFlags;

const MORE: SendFlags = SendFlags { more: true, bulk: false, end_of_record: false, urgent: false };
const RECORD: SendFlags =
    SendFlags { more: false, bulk: false, end_of_record: true, urgent: false };

/// The lengths of the texts that leave now.
fn lengths(peer: &mut Script) -> Vec<usize> {
    std::iter::from_fn(|| peer.poll()).map(|outgoing| outgoing.payload.len()).collect()
}

fn corked() -> Script {
    Script::established_with(Settings { cork: true, ..settings() }, &[])
}

#[test]
fn a_cork_holds_back_what_does_not_fill_a_segment() {
    let mut peer = corked();
    peer.send(&[1; 2500]).unwrap();
    assert_eq!(lengths(&mut peer), [1000, 1000]);
    peer.arrive(seg(ACK, 1).ack(2001));
    peer.expect_nothing();
    peer.send(&[1; 600]).unwrap();
    assert_eq!(lengths(&mut peer), [1000]);
    peer.change(|settings| settings.cork = false);
    assert_eq!(lengths(&mut peer), [100], "no small one is unacknowledged");
}

#[test]
fn a_cork_gives_way_after_200_ms() {
    // RFC 9293 §3.9.1.2, MUST-60: data is not held for ever.
    let mut peer = corked();
    peer.send(b"held").unwrap();
    peer.expect_nothing();
    assert_eq!(peer.wait_for_timer(), ms(200));
    peer.expect(out(PSH_ACK, 1, 1).text(b"held"));
}

#[test]
fn a_fin_draws_the_cork() {
    let mut peer = corked();
    peer.send(b"held").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    peer.expect(out(FIN_ACK.union(PSH_ACK), 1, 1).text(b"held"));
}

#[test]
fn no_delay_pushes_out_what_waits_even_behind_a_cork() {
    let mut peer = corked();
    peer.send(b"held").unwrap();
    peer.expect_nothing();
    peer.change(|settings| settings.no_delay = true);
    peer.expect(out(PSH_ACK, 1, 1).text(b"held"));
    peer.send(b"again").unwrap();
    peer.expect_nothing();
}

#[test]
fn more_holds_back_until_the_next_write_without_it() {
    let mut peer = Script::established();
    peer.send_with(b"head ", MORE).unwrap();
    peer.expect_nothing();
    peer.send(b"body").unwrap();
    peer.expect(out(PSH_ACK, 1, 1).text(b"head body"));
}

#[test]
fn a_record_ends_a_segment_and_what_follows_begins_another() {
    let mut peer = Script::established_with(Settings { no_delay: true, ..settings() }, &[]);
    peer.super_segments(60_000);
    peer.send_with(&[1; 1500], RECORD).unwrap();
    peer.send_with(&[2; 300], RECORD).unwrap();
    peer.send_with(&[3; 300], SendFlags::default()).unwrap();
    peer.send_with(&[4; 300], SendFlags::default()).unwrap();
    assert_eq!(lengths(&mut peer), [1500, 300, 600]);
    peer.arrive(seg(ACK, 1).ack(2401));
    let seldom = peer.connection.seldom.as_ref().unwrap();
    assert!(seldom.record_ends.is_empty(), "nothing is kept of what is acknowledged");
}

#[test]
fn nagle_holds_back_the_last_record_only() {
    let mut peer = Script::established();
    peer.send_with(b"one", RECORD).unwrap();
    peer.expect(out(PSH_ACK, 1, 1).text(b"one"));
    peer.send_with(b"two", RECORD).unwrap();
    peer.send_with(b"six", RECORD).unwrap();
    assert_eq!(lengths(&mut peer), [3]);
    peer.arrive(seg(ACK, 1).ack(7));
    assert_eq!(lengths(&mut peer), [3]);
}

#[test]
fn no_more_is_written_ahead_than_the_application_wants() {
    let lowat = Settings { notsent_lowat: Some(2000), ..settings() };
    let mut peer = Script::established_with(lowat, &[]);
    // Ten segments leave at once; 2,000 bytes wait.
    assert_eq!(peer.send(&[1; 50_000]), Ok(12_000));
    assert_eq!(lengths(&mut peer).iter().sum::<usize>(), 10_000);
    assert_eq!(peer.send(b"x"), Err(Error::WouldBlock));
    assert!(!peer.connection.readiness().contains(Readiness::OUT));
    peer.arrive(seg(ACK, 1).ack(2001));
    lengths(&mut peer);
    assert!(peer.connection.readiness().contains(Readiness::OUT));
}

#[test]
fn the_knob_bounds_what_is_unsent_where_the_socket_does_not() {
    let mut peer = Script::established_with(settings(), &[("tcp_notsent_lowat", "3000")]);
    assert_eq!(peer.send(&[1; 50_000]), Ok(13_000));
}

#[test]
fn a_send_buffer_that_nobody_sized_takes_what_linux_takes() {
    let sized = |set_knobs: &[(&str, &str)]| {
        let settings = Settings { send_buffer: 16_384, is_send_buffer_fixed: false, ..settings() };
        let mut peer = Script::established_with(settings, set_knobs);
        peer.send(&[1; 200_000]).unwrap()
    };
    assert_eq!(sized(&[]), 20 * (2048 + 256));
    assert_eq!(sized(&[("tcp_wmem", "4096 16384 20000")]), 20_000);
}

#[test]
fn a_socket_is_readable_from_its_low_water_mark_on() {
    let mut peer = Script::established_with(Settings { receive_low_water: 5, ..settings() }, &[]);
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"four"));
    assert!(!peer.connection.readiness().contains(Readiness::IN));
    peer.arrive(seg(PSH_ACK, 5).ack(1).text(b"5"));
    assert!(peer.connection.readiness().contains(Readiness::IN));
}

#[test]
fn a_full_window_makes_a_socket_readable_below_its_low_water_mark() {
    let mut peer =
        Script::established_with(Settings { receive_low_water: 70_000, ..settings() }, &[]);
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(&[1; 50_000]));
    while peer.poll().is_some() {}
    assert!(!peer.connection.readiness().contains(Readiness::IN));
    peer.arrive(seg(PSH_ACK, 50_001).ack(1).text(&[1; 10_000]));
    assert!(peer.connection.readiness().contains(Readiness::IN));
}

const BULK: SendFlags = SendFlags { more: false, bulk: true, end_of_record: false, urgent: false };

#[test]
fn the_tail_of_a_bulk_waits_for_more_or_for_an_acknowledgment_even_without_delay() {
    let mut peer = Script::established_with(Settings { no_delay: true, ..settings() }, &[]);
    peer.send_with(&[1; 3300], BULK).unwrap();
    assert_eq!(lengths(&mut peer), [1000, 1000, 1000]);
    peer.send_with(&[1; 900], BULK).unwrap();
    assert_eq!(lengths(&mut peer), [1000], "more came");
    peer.arrive(seg(ACK, 1).ack(1001));
    assert_eq!(lengths(&mut peer), [200], "an acknowledgment came");
    peer.arrive(seg(ACK, 1).ack(4201));
    peer.send_with(&[1; 2300], BULK).unwrap();
    assert_eq!(lengths(&mut peer), [1000, 1000, 300], "too little to be acknowledged at once");
}

#[test]
fn on_a_path_of_more_than_a_millisecond_the_tail_of_a_bulk_does_not_wait() {
    let mut peer = Script::established_with(Settings { no_delay: true, ..settings() }, &[]);
    peer.send_with(&[1; 1000], BULK).unwrap();
    assert_eq!(lengths(&mut peer), [1000]);
    peer.wait(Duration::from_millis(100));
    peer.arrive(seg(ACK, 1).ack(1001));
    peer.send_with(&[1; 3300], BULK).unwrap();
    assert_eq!(lengths(&mut peer), [1000, 1000, 1000, 300]);
}
