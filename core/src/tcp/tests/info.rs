//! What TCP_INFO tells, and where it lies in Linux's structure.

use super::*;
use crate::tcp::info::{Info, STRUCT_LEN};
use crate::tcp::recovery::RepairState;

impl Script {
    fn info(&self) -> Info {
        self.connection.info(self.now, &self.knobs, 1040)
    }
}

#[test]
fn what_goes_and_comes_is_counted_in_segments_and_bytes() {
    let mut peer = Script::established();
    peer.send(&[7; 2500]).unwrap();
    peer.expect(out(ACK, 1, 1).text(&[7; 1000]));
    peer.expect(out(ACK, 1001, 1).text(&[7; 1000]));
    peer.expect(out(PSH_ACK, 2001, 1).text(&[7; 500]));
    peer.wait(ms(30));
    peer.arrive(seg(ACK, 1).ack(2001).text(b"hello"));
    peer.wait(ms(5));
    let info = peer.info();
    assert_eq!((info.state, info.congestion_state), (State::Established, RepairState::Open));
    assert_eq!((info.data_segments_sent, info.bytes_sent, info.bytes_acked), (3, 2500, 2000));
    assert_eq!((info.data_segments_received, info.bytes_received), (1, 5));
    assert_eq!((info.unacked, info.bytes_not_sent, info.retransmitted_segments), (1, 0, 0));
    assert_eq!(info.since_data_sent, Some(ms(35)));
    assert_eq!(info.since_data_received, Some(ms(5)));
    assert_eq!((info.send_mss, info.receive_mss), (1000, 536));
    // The handshake took no time at all, and these 30 ms count for an eighth.
    assert_eq!((info.srtt, info.min_rtt), (Duration::from_micros(3750), Some(ms(0))));
}

#[test]
fn what_is_sent_again_is_counted_apart() {
    let mut peer = Script::established();
    peer.send(&[7; 1000]).unwrap();
    peer.expect(out(PSH_ACK, 1, 1).text(&[7; 1000]));
    peer.expect_nothing();
    while peer.info().retransmitted_segments == 0 {
        peer.wait_for_timer();
        while peer.poll().is_some() {}
    }
    let info = peer.info();
    assert_eq!((info.bytes_sent, info.bytes_retransmitted, info.bytes_acked), (2000, 1000, 0));
    assert_eq!(info.data_segments_sent, 2);
}

#[test]
fn text_before_its_turn_is_counted_as_out_of_order() {
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 6).ack(1).text(b"world"));
    assert_eq!((peer.info().out_of_order_segments, peer.info().bytes_received), (1, 0));
    peer.arrive(seg(ACK, 1).ack(1).text(b"hello"));
    assert_eq!((peer.info().out_of_order_segments, peer.info().bytes_received), (1, 10));
}

#[test]
fn syn_and_fin_have_numbers_but_are_no_bytes() {
    let mut peer = Script::established();
    peer.shutdown(Shutdown::Write).unwrap();
    peer.expect(out(FIN_ACK, 1, 1));
    peer.arrive(seg(FIN_ACK, 1).ack(2));
    let info = peer.info();
    assert_eq!((info.bytes_acked, info.bytes_received, info.bytes_sent), (0, 0, 0));
}

#[test]
fn the_time_that_the_peers_window_costs_is_told() {
    let mut peer = Script::established();
    peer.arrive(seg(ACK, 1).ack(1).window(0));
    peer.wait(ms(50));
    peer.send(b"waits").unwrap();
    peer.expect_nothing();
    peer.wait(ms(70));
    let info = peer.info();
    assert_eq!((info.busy, info.window_limited, info.buffer_limited), (ms(70), ms(70), ms(0)));
    assert_eq!((info.bytes_not_sent, info.send_window), (5, 0));
    peer.arrive(seg(ACK, 1).ack(1).window(500));
    peer.expect(out(PSH_ACK, 1, 1).text(b"waits"));
    peer.expect_nothing();
    peer.wait(ms(10));
    assert_eq!((peer.info().busy, peer.info().window_limited), (ms(80), ms(70)));
}

/// The int at `at` of Linux's structure.
fn int(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap())
}

#[test]
fn each_field_lies_where_linux_has_it() {
    let info = Info {
        state: State::CloseWait,
        congestion_state: RepairState::Loss,
        timeouts: 2,
        probes: 3,
        backoffs: 4,
        has_timestamps: true,
        has_window_scale: true,
        send_scale: 7,
        receive_scale: 10,
        rto: ms(250),
        send_mss: 1000,
        unacked: 5,
        cwnd: 12_999,
        srtt: ms(25),
        retransmitted_segments: 99,
        pacing_rate: None,
        bytes_acked: 1 << 40,
        segments_sent: 17,
        min_rtt: None,
        delivery_rate: 1 << 33,
        busy: ms(3),
        bytes_sent: 1 << 41,
        send_window: 70_000,
        receive_window: 80_000,
        total_timeouts: 6,
        timeout_time: ms(1234),
        ..Info::default()
    };
    let bytes = info.to_bytes();
    assert_eq!(bytes.len(), STRUCT_LEN);
    // state, ca_state, retransmits, probes, backoff, options, the two scales, app_limited
    assert_eq!(bytes[..8], [8, 4, 2, 3, 4, 0b101, 0xa7, 0]);
    let ints = [
        (8, 250_000),
        (16, 1000),
        (24, 5),
        (68, 25_000),
        (76, 0x7fff_ffff),
        (80, 12),
        (100, 99),
        (136, 17),
        (148, u32::MAX),
        (228, 70_000),
        (232, 80_000),
        (244, 1234),
    ];
    for (at, value) in ints {
        assert_eq!(int(&bytes, at), value, "at {at}");
    }
    for (at, value) in
        [(104, u64::MAX), (120, 1 << 40), (160, 1 << 33), (168, 3000), (200, 1 << 41)]
    {
        assert_eq!(long(&bytes, at), value, "at {at}");
    }
    assert_eq!(bytes[240..244], [6, 0, 0, 0]);
}
