//! RFC 9293 §3.10.7 as a table: every state, every kind of segment, every place of its numbers, each
//! outcome compared with a [model] that is the RFC's text. (CLOSED and LISTEN have their tables
//! beside `reset` and `listener`.)

mod model;

use self::model::{Outcome, Seg, Tcb};
use super::*;

/// Makes a connection in some state, and says what the RFC's variables are then.
type Setup = fn() -> (Script, Tcb);

/// What a connection has sent unless its state says more.
const TEXT: &[u8] = b"0123456789";
const RCV_WND: i64 = 60_000;

fn knobs() -> [(&'static str, &'static str); 1] {
    // What is to be acknowledged is acknowledged at once.
    [("tcp_delack_ms", "0")]
}

fn tcb(state: State) -> Tcb {
    Tcb {
        state,
        is_passive: true,
        snd_una: 1,
        snd_nxt: 11,
        max_snd_wnd: i64::from(WINDOW),
        snd_fin: None,
        rcv_nxt: 1,
        rcv_wnd: RCV_WND,
    }
}

fn established() -> (Script, Tcb) {
    let mut peer = Script::established_with(settings(), &knobs());
    peer.send(TEXT).unwrap();
    peer.expect(out(PSH_ACK, 1, 1).text(TEXT));
    (peer, tcb(State::Established))
}

/// ESTABLISHED, the receive buffer full.
fn established_without_window() -> (Script, Tcb) {
    let (mut peer, tcb) = established();
    peer.arrive(seg(ACK, 1).ack(1).text(&vec![0; RCV_WND as usize]));
    peer.expect(out(ACK, 11, 1 + RCV_WND as u32));
    (peer, Tcb { rcv_nxt: 1 + RCV_WND, rcv_wnd: 0, ..tcb })
}

fn syn_sent() -> (Script, Tcb) {
    let mut peer = Script::connecting(&knobs());
    peer.expect(out(SYN, 0, 0));
    (peer, Tcb { is_passive: false, snd_una: 0, snd_nxt: 1, ..tcb(State::SynSent) })
}

fn syn_received_by_passive_open() -> (Script, Tcb) {
    let options = Options { mss: Some(1000), ..Options::default() };
    let mut peer = Script::accepting(options, &knobs());
    peer.expect(out(SYN_ACK, 0, 1));
    (peer, Tcb { snd_una: 0, snd_nxt: 1, ..tcb(State::SynReceived) })
}

fn syn_received_by_active_open() -> (Script, Tcb) {
    let (mut peer, tcb) = syn_sent();
    peer.arrive(seg(SYN, 0));
    peer.expect(out(SYN_ACK, 0, 1));
    (peer, Tcb { state: State::SynReceived, ..tcb })
}

fn fin_wait_1() -> (Script, Tcb) {
    let (mut peer, tcb) = established();
    peer.shutdown(Shutdown::Write).unwrap();
    peer.expect(out(FIN_ACK, 11, 1));
    (peer, Tcb { state: State::FinWait1, snd_nxt: 12, snd_fin: Some(11), ..tcb })
}

fn fin_wait_2() -> (Script, Tcb) {
    let (mut peer, tcb) = fin_wait_1();
    peer.arrive(seg(ACK, 1).ack(12));
    (peer, Tcb { state: State::FinWait2, snd_una: 12, ..tcb })
}

fn close_wait() -> (Script, Tcb) {
    let (mut peer, tcb) = established();
    peer.arrive(seg(FIN_ACK, 1).ack(1));
    peer.expect(out(ACK, 11, 2));
    (peer, Tcb { state: State::CloseWait, rcv_nxt: 2, rcv_wnd: RCV_WND - 1, ..tcb })
}

fn closing() -> (Script, Tcb) {
    let (mut peer, tcb) = fin_wait_1();
    peer.arrive(seg(FIN_ACK, 1).ack(1));
    peer.expect(out(ACK, 12, 2));
    (peer, Tcb { state: State::Closing, rcv_nxt: 2, rcv_wnd: RCV_WND - 1, ..tcb })
}

fn last_ack() -> (Script, Tcb) {
    let (mut peer, tcb) = close_wait();
    peer.shutdown(Shutdown::Write).unwrap();
    peer.expect(out(FIN_ACK, 11, 2));
    (peer, Tcb { state: State::LastAck, snd_nxt: 12, snd_fin: Some(11), ..tcb })
}

fn time_wait() -> (Script, Tcb) {
    let (mut peer, tcb) = fin_wait_2();
    peer.arrive(seg(FIN_ACK, 1).ack(12));
    peer.expect(out(ACK, 12, 2));
    (peer, Tcb { state: State::TimeWait, rcv_nxt: 2, rcv_wnd: RCV_WND - 1, ..tcb })
}

/// Every kind of segment: SYN, FIN, RST and their mixtures, with and without text.
fn kinds() -> impl Iterator<Item = Seg> {
    let bits = [
        (false, false, false),
        (true, false, false),
        (false, true, false),
        (false, false, true),
        (true, true, false),
        (true, false, true),
        (false, true, true),
    ];
    bits.into_iter().flat_map(|(syn, fin, rst)| {
        [0, 1, 10].map(|text| Seg { seq: 0, ack: None, syn, fin, rst, text })
    })
}

/// SEG.SEQ in the window, at both its edges, and outside.
fn places(tcb: &Tcb) -> [i64; 10] {
    let (left, right) = (tcb.rcv_nxt, tcb.rcv_nxt + tcb.rcv_wnd);
    let (old, new) = (left - 100_000, right + 100_000);
    [left, left + 1, left + 20, right - 1, right, right + 1, new, left - 1, left - 5, old]
}

/// SEG.ACK: none; too old, the oldest allowed, old, a repetition; new; all; too new.
fn acks(tcb: &Tcb) -> Vec<Option<i64>> {
    let (una, nxt, max) = (tcb.snd_una, tcb.snd_nxt, tcb.max_snd_wnd);
    let mut acks =
        vec![una - max - 1, una - max, una - 1, una, nxt - 1, nxt, nxt + 1, nxt + 1_000_000];
    if una + 4 < nxt {
        acks.push(una + 4);
    }
    [None].into_iter().chain(acks.into_iter().map(Some)).collect()
}

/// What the stack does about it.
fn observe(mut peer: Script, segment: &Seg) -> Outcome {
    let unread = peer.connection.queues().0 as i64;
    let mut flags = if segment.ack.is_some() { ACK } else { Flags::EMPTY };
    for (is_set, bit) in [(segment.syn, SYN), (segment.fin, Flags::FIN), (segment.rst, RST)] {
        flags = if is_set { flags.union(bit) } else { flags };
    }
    let text = vec![b'!'; segment.text as usize];
    let ack = segment.ack.map(|ack| ack as u32);
    peer.arrive(In { ack, ..seg(flags, segment.seq as u32).text(&text) });
    let sent = std::iter::from_fn(|| peer.poll_relative())
        .map(|out| {
            assert!(out.text.is_empty(), "nothing is sent again");
            (out.flags, i64::from(out.seq as i32), i64::from(out.ack as i32))
        })
        .collect();
    let state = peer.connection.state();
    let error = peer.connection.take_error();
    let text = peer.connection.queues().0 as i64 - unread;
    Outcome { state, sent, text, error }
}

/// Compares stack and model for every segment, and says how many there were.
fn compare(setup: Setup, model: fn(Tcb, Seg) -> Outcome) -> usize {
    let (_, tcb) = setup();
    let (mut count, mut differences) = (0, Vec::new());
    for kind in kinds() {
        for seq in places(&tcb) {
            for ack in acks(&tcb) {
                let segment = Seg { seq, ack, ..kind };
                let (peer, tcb) = setup();
                let (found, expected) = (observe(peer, &segment), model(tcb, segment));
                count += 1;
                if found != expected {
                    differences.push(format!(
                        "{segment:?}\n  is       {found:?}\n  expected {expected:?}"
                    ));
                }
            }
        }
    }
    let total = differences.len();
    differences.truncate(12);
    assert_eq!(total, 0, "of {count}, in {:?}:\n{}", tcb.state, differences.join("\n"));
    count
}

#[test]
fn in_every_synchronized_state_every_segment_means_what_the_rfc_says() {
    // RFC 9293 §3.10.7.4; RFC 5961 §3.2, §4.2, §5.2.
    let setups: [Setup; 8] = [
        established,
        established_without_window,
        fin_wait_1,
        fin_wait_2,
        close_wait,
        closing,
        last_ack,
        time_wait,
    ];
    let count: usize = setups.into_iter().map(|setup| compare(setup, Tcb::arrives)).sum();
    assert!(count > 10_000, "only {count} cases");
}

#[test]
fn in_syn_received_every_segment_means_what_the_rfc_says() {
    // RFC 9293 §3.10.7.4; the two opens differ (MUST-11).
    compare(syn_received_by_passive_open, Tcb::arrives);
    compare(syn_received_by_active_open, Tcb::arrives);
}

#[test]
fn in_syn_sent_every_segment_means_what_the_rfc_says() {
    // RFC 9293 §3.10.7.3.
    compare(syn_sent, Tcb::arrives_in_syn_sent);
}
