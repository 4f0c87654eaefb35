//! What views can draw of the sliding windows: the sender's knowledge of what is on its way.

use super::*;
use crate::event::{RANGES_SHOWN, RecoveryView};
use crate::tcp::recovery::RepairState;
use crate::wire::tcp_options::SackBlocks;

/// A connection with SACK whose round trip takes 100 ms, and which has sent so many segments of
/// 400 bytes.
fn having_sent(segments: usize, set_knobs: &[(&str, &str)]) -> Script {
    let options = Options { mss: Some(400), sack_permitted: true, ..Options::default() };
    let mut peer = Script::accepting(options, set_knobs);
    peer.expect(out(SYN_ACK, 0, 1));
    peer.wait(ms(100));
    peer.arrive(seg(ACK, 1).ack(1));
    assert_eq!(peer.send(&vec![7; segments * 400]), Ok(segments * 400));
    while peer.poll().is_some() {}
    peer.wait(ms(100));
    peer
}

/// The peer reports the segments with these numbers, from 0; the newest of them first.
fn report(peer: &mut Script, segments: &[u32]) {
    let mut sack = SackBlocks::default();
    for segment in segments.iter().rev() {
        let left = ISS.wrapping_add(1 + segment * 400);
        assert!(sack.push(left, left.wrapping_add(400)));
    }
    peer.arrive(seg(ACK, 1).ack(1).options(Options { sack, ..Options::default() }));
}

/// Ranges of the view as numbers of segments, from 0.
fn segments(ranges: &[(u64, u64)], peer: &Script) -> Vec<(u64, u64)> {
    let first = peer.snapshot().iss + 1;
    let segment = |seq: u64| (seq - first) / 400;
    ranges.iter().map(|(start, end)| (segment(*start), segment(*end))).collect()
}

fn view(peer: &Script) -> RecoveryView {
    peer.snapshot().recovery
}

#[test]
fn nothing_on_its_way_leaves_the_view_empty() {
    let peer = Script::established();
    let view = view(&peer);
    assert_eq!(view, RecoveryView { rttvar_ns: view.rttvar_ns, ..RecoveryView::default() });
}

#[test]
fn the_window_shows_what_was_reported_lost_and_sent_again() {
    let mut peer = having_sent(10, &[]);
    report(&mut peer, &[2]);
    assert_eq!(view(&peer).state, RepairState::Disorder);
    assert_eq!(segments(&view(&peer).sacked, &peer), [(2, 3)]);
    report(&mut peer, &[2, 4, 6]);
    let lost = view(&peer);
    assert_eq!(lost.state, RepairState::Recovery);
    assert_eq!(segments(&lost.sacked, &peer), [(2, 3), (4, 5), (6, 7)]);
    assert_eq!(segments(&lost.lost, &peer)[0].0, 0);
    assert!(lost.retransmitted.is_empty());
    peer.poll().expect("the first segment, again");
    let repaired = view(&peer);
    assert_eq!(segments(&repaired.retransmitted, &peer), [(0, 1)]);
    assert_ne!(repaired.lost.first(), lost.lost.first());
    assert!(!repaired.has_more);
    // Half of the first round trip, and a quarter less with each of two more that were the same.
    assert_eq!(repaired.rttvar_ns, Some(28_125_000));
}

#[test]
fn a_paced_connection_shows_its_rate() {
    let mut peer = having_sent(1, &[]);
    assert_eq!(view(&peer).pacing_bytes_per_s, None);
    peer.change(|settings| settings.max_pacing_rate_bytes_per_s = Some(12_500));
    assert_eq!(view(&peer).pacing_bytes_per_s, Some(12_500));
}

#[test]
fn a_peer_that_leaves_many_holes_makes_no_view_longer() {
    let holes = RANGES_SHOWN as u32 + 10;
    let mut peer = having_sent(2 * holes as usize, &[("tcp_initial_window", "1000")]);
    for hole in 0..holes {
        report(&mut peer, &[2 * hole + 1]);
    }
    let view = view(&peer);
    assert_eq!(view.sacked.len(), RANGES_SHOWN);
    assert!(view.has_more);
}
