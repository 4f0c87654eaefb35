use proptest::prelude::*;

use super::Reno;
use crate::tcp::congestion::{
    AckSample, CongestionControl, CongestionEvent, CongestionSignal, Parameters, Phase,
    initial_window,
};
use crate::tcp::seq::Seq;
use crate::time::Instant;

const SMSS: u32 = 1000;
const NOW: Instant = Instant::ZERO;

fn ack(acked: u64) -> AckSample {
    AckSample {
        now: NOW,
        acked,
        delivered: acked,
        lost: 0,
        in_flight_before: acked,
        in_flight: 0,
        una: Seq::default(),
        max: Seq::default(),
        is_cwnd_limited: true,
        rtt: None,
        min_rtt: None,
        srtt: None,
        ce_bytes: 0,
        rate: None,
    }
}

fn loss(flight_size: u64) -> CongestionEvent {
    CongestionEvent {
        now: NOW,
        flight_size,
        in_flight: flight_size,
        signal: CongestionSignal::Loss,
    }
}

fn reno() -> Reno {
    Reno::new(SMSS, initial_window(SMSS, 10), &Parameters { abc_l: 2, ..Parameters::default() })
}

/// A controller in congestion avoidance with a window of `segments`.
fn avoiding(segments: u64) -> Reno {
    let mut reno = reno();
    reno.on_congestion(&loss(2 * segments * u64::from(SMSS)));
    reno.on_recovered(NOW, 2 * segments * u64::from(SMSS));
    assert_eq!(reno.phase(), Phase::CongestionAvoidance);
    assert_eq!(reno.cwnd(), segments * u64::from(SMSS));
    reno
}

#[test]
fn slow_start_grows_by_what_is_acknowledged_up_to_two_segments() {
    // RFC 3465 §2.2, §2.3: bytes acknowledged, growth of cwnd
    for (acked, growth) in
        [(1, 1), (500, 500), (1000, 1000), (2000, 2000), (2001, 2000), (60_000, 2000)]
    {
        let mut reno = reno();
        reno.on_ack(&ack(acked));
        assert_eq!(reno.cwnd(), 10_000 + growth, "{acked} bytes acknowledged");
        assert_eq!(reno.phase(), Phase::SlowStart);
    }
}

#[test]
fn slow_start_doubles_the_window_in_a_round_trip() {
    // RFC 9293 §3.8.2 (MUST-19).
    let mut reno = reno();
    for _ in 0..10 {
        reno.on_ack(&ack(1000));
    }
    assert_eq!(reno.cwnd(), 20_000);
}

#[test]
fn an_ack_cut_into_pieces_gains_nothing() {
    // RFC 3465 §3: "ACK division" (RFC 5681 §3.1)
    let (mut whole, mut split) = (reno(), reno());
    whole.on_ack(&ack(1000));
    for _ in 0..1000 {
        split.on_ack(&ack(1));
    }
    assert_eq!(whole.cwnd(), split.cwnd());
}

#[test]
fn congestion_avoidance_adds_one_segment_per_window() {
    // RFC 9293 §3.8.2 (MUST-19).
    // RFC 3465 §2.1
    let mut reno = avoiding(10);
    for _ in 0..9 {
        reno.on_ack(&ack(1000));
    }
    assert_eq!(reno.cwnd(), 10_000);
    reno.on_ack(&ack(1000));
    assert_eq!(reno.cwnd(), 11_000);
    for _ in 0..11 {
        reno.on_ack(&ack(1000));
    }
    assert_eq!(reno.cwnd(), 12_000);
}

#[test]
fn at_ssthresh_slow_start_ends() {
    let mut reno = reno();
    reno.on_timeout(NOW, 8000, true);
    reno.on_recovered(NOW, 0);
    assert_eq!((reno.cwnd(), reno.ssthresh()), (1000, 4000));
    let mut windows = Vec::new();
    for _ in 0..7 {
        reno.on_ack(&ack(1000));
        windows.push((reno.cwnd(), reno.phase()));
    }
    use Phase::{CongestionAvoidance as Avoidance, SlowStart};
    let expected = [
        (2000, SlowStart),
        (3000, SlowStart),
        (4000, Avoidance),
        (4000, Avoidance),
        (4000, Avoidance),
        (4000, Avoidance),
        (5000, Avoidance),
    ];
    assert_eq!(windows, expected);
}

#[test]
fn a_loss_halves_what_is_in_flight_and_holds_it() {
    // RFC 5681 equation 4: in flight, ssthresh = cwnd
    for (in_flight, ssthresh) in [(20_000, 10_000), (4000, 2000), (3000, 2000), (0, 2000)] {
        let mut reno = reno();
        reno.on_congestion(&loss(in_flight));
        assert_eq!((reno.ssthresh(), reno.cwnd()), (ssthresh, ssthresh), "{in_flight} in flight");
        assert_eq!(reno.phase(), Phase::Recovery);
        reno.on_ack(&ack(1000));
        assert_eq!(reno.cwnd(), ssthresh, "a partial ACK does not grow the window");
    }
}

#[test]
fn after_recovery_or_a_mark_the_window_is_ssthresh() {
    // RFC 6582 §3.2 step 3, option 2; RFC 3168 §6.1.2
    let phases = [(CongestionSignal::Loss, Phase::Recovery), (CongestionSignal::Ecn, Phase::Cwr)];
    for (signal, phase) in phases {
        let mut reno = reno();
        reno.on_congestion(&CongestionEvent { signal, ..loss(20_000) });
        assert_eq!(reno.phase(), phase);
        reno.set_cwnd(17_000);
        reno.on_ack(&ack(1000));
        assert_eq!(reno.cwnd(), 17_000, "PRR alone moves the window");
        reno.on_recovered(NOW, 0);
        assert_eq!((reno.cwnd(), reno.phase()), (10_000, Phase::CongestionAvoidance));
    }
}

#[test]
fn a_reduction_for_nothing_is_undone() {
    // RFC 4015 §3.1, §3.4; RFC 5682 §4.
    let mut reno = avoiding(20);
    reno.on_congestion(&loss(20_000));
    reno.undo(NOW);
    assert_eq!((reno.cwnd(), reno.ssthresh()), (20_000, 20_000));
    assert_eq!(reno.phase(), Phase::CongestionAvoidance);
    reno.on_timeout(NOW, 20_000, true);
    reno.on_timeout(NOW, 1000, false);
    reno.undo(NOW);
    assert_eq!((reno.cwnd(), reno.ssthresh()), (20_000, 20_000));
    reno.undo(NOW);
    assert_eq!((reno.cwnd(), reno.ssthresh()), (20_000, 20_000), "once");
}

#[test]
fn a_timeout_leaves_one_segment() {
    let mut reno = avoiding(20);
    reno.on_timeout(NOW, 20_000, true);
    assert_eq!((reno.cwnd(), reno.ssthresh(), reno.phase()), (1000, 10_000, Phase::Loss));
    reno.on_timeout(NOW, 1000, false);
    assert_eq!((reno.cwnd(), reno.ssthresh()), (1000, 10_000), "held on a repeated timeout");
}

#[test]
fn after_a_timeout_an_ack_counts_for_one_segment_at_most() {
    // RFC 3465 §2.4.
    // RFC 3465 §2.3: MUST use L=1*SMSS in the slow start that follows
    let mut reno = avoiding(20);
    reno.on_timeout(NOW, 20_000, true);
    reno.on_ack(&ack(5000));
    assert_eq!((reno.cwnd(), reno.phase()), (2000, Phase::Loss));
    reno.on_recovered(NOW, 0);
    reno.on_ack(&ack(5000));
    assert_eq!((reno.cwnd(), reno.phase()), (3000, Phase::SlowStart));
    while reno.phase() == Phase::SlowStart {
        reno.on_ack(&ack(5000));
    }
    assert_eq!(reno.cwnd(), 10_000);
    // A later slow start, after idling, doubles as the first one did.
    reno.on_idle_restart(NOW, 4000);
    reno.on_ack(&ack(5000));
    assert_eq!(reno.cwnd(), 6000);
}

#[test]
fn an_application_that_does_not_fill_the_window_does_not_grow_it() {
    // RFC 7661 §4.3.
    let idle = AckSample { is_cwnd_limited: false, ..ack(1000) };
    for mut reno in [reno(), avoiding(10)] {
        let before = reno.cwnd();
        for _ in 0..50 {
            reno.on_ack(&idle);
        }
        assert_eq!(reno.cwnd(), before);
    }
}

#[test]
fn after_idling_the_window_is_the_initial_one_at_most() {
    // RFC 5681 §4.1
    let mut large = avoiding(50);
    large.on_idle_restart(NOW, 10_000);
    assert_eq!((large.cwnd(), large.ssthresh()), (10_000, 50_000));
    assert_eq!(large.phase(), Phase::SlowStart);
    let mut small = avoiding(3);
    small.on_idle_restart(NOW, 10_000);
    assert_eq!((small.cwnd(), small.phase()), (3000, Phase::CongestionAvoidance));
}

#[test]
fn smaller_segments_shrink_the_window_in_proportion_and_larger_ones_do_not_grow_it() {
    let mut reno = Reno::new(1460, initial_window(1460, 10), &Parameters::default());
    reno.set_smss(536);
    assert_eq!(reno.cwnd(), 5360);
    reno.set_smss(1460);
    assert_eq!(reno.cwnd(), 5360);
    reno.set_smss(9000);
    assert_eq!(reno.cwnd(), 9000, "one segment at least");
}

#[derive(Clone, Debug)]
enum Step {
    Ack(u64, bool),
    Loss(u64),
    Recovered(u64),
    Timeout(u64, bool),
    Idle(u64),
    Smss(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<u64>(), any::<bool>()).prop_map(|(acked, limited)| Step::Ack(acked, limited)),
        1 => any::<u64>().prop_map(Step::Loss),
        1 => (0..1u64 << 40).prop_map(Step::Recovered),
        1 => (any::<u64>(), any::<bool>()).prop_map(|(flight, first)| Step::Timeout(flight, first)),
        1 => any::<u64>().prop_map(Step::Idle),
        1 => (1..70_000u32).prop_map(Step::Smss),
    ]
}

proptest! {
    #[test]
    fn the_window_never_falls_below_a_segment(steps in prop::collection::vec(step(), 0..100)) {
        let mut reno = reno();
        let mut smss = SMSS;
        for step in steps {
            let before = reno.cwnd();
            match step {
                Step::Ack(acked, limited) => {
                    reno.on_ack(&AckSample { is_cwnd_limited: limited, ..ack(acked) });
                    prop_assert!(reno.cwnd() - before <= 2 * u64::from(smss));
                }
                Step::Loss(flight) => reno.on_congestion(&loss(flight)),
                Step::Recovered(in_flight) => reno.on_recovered(NOW, in_flight),
                Step::Timeout(flight, first) => reno.on_timeout(NOW, flight, first),
                Step::Idle(window) => reno.on_idle_restart(NOW, window),
                Step::Smss(new) => {
                    smss = new;
                    reno.set_smss(smss);
                }
            }
            prop_assert!(reno.cwnd() >= u64::from(smss));
        }
    }
}
