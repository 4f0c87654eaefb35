use std::time::Duration;

use proptest::prelude::*;

use super::{Bbr, State};
use crate::tcp::congestion::tests::bottleneck::{Path, SMSS};
use crate::tcp::congestion::{
    AckSample, CongestionControl, CongestionEvent, CongestionSignal, Parameters, Phase,
};
use crate::tcp::delivery_rate::{LossSample, RateSample};
use crate::tcp::seq::Seq;
use crate::time::Instant;

/// 10 Mbit/s, in bytes per second.
const RATE: u64 = 1_250_000;

fn bbr(seed: u64) -> Box<Bbr> {
    let parameters = Parameters { seed, ..Parameters::default() };
    Box::new(Bbr::new(SMSS as u32, 10 * SMSS, &parameters))
}

/// One flow on a path of 10 Mbit/s and 40 ms with a deep queue.
fn path() -> Path {
    let mut path = Path::new(RATE, 40, 1_000_000);
    path.add(bbr(1));
    path
}

fn phases(path: &Path, flow: usize) -> Vec<Phase> {
    path.flows[flow].phases.iter().map(|(_, phase)| *phase).collect()
}

/// `part` of `whole`, in percent.
fn percent(part: u64, whole: u64) -> u64 {
    part * 100 / whole
}

#[test]
fn startup_finds_the_rate_and_drain_empties_the_queue() {
    // draft §5.3.1, §5.3.2; its test case "Exiting STARTUP on Bandwidth Plateau"
    let mut path = path();
    path.run(1000);
    // What is in flight fits the path when Drain ends, so that DOWN has nothing left to do.
    assert_eq!(phases(&path, 0)[..3], [Phase::Startup, Phase::Drain, Phase::ProbeBwCruise]);
    let rate = path.flows[0].controller.pacing_rate_bytes_per_s().unwrap();
    assert!((97..=101).contains(&percent(rate, RATE)), "{rate} bytes per second");
    assert_eq!(path.flows[0].lost, 0);
}

#[test]
fn it_holds_the_rate_with_a_small_queue() {
    let mut path = path();
    path.run(2000);
    let (delivered, backlog) = path.run(7000);
    assert!(percent(delivered[0], 7 * RATE) >= 96, "{} bytes", delivered[0]);
    assert!(percent(backlog, path.bdp()) < 25, "{backlog} of {} bytes", path.bdp());
    assert!(path.flows[0].in_flight < 2 * path.bdp());
}

#[test]
fn it_probes_for_more_every_few_seconds() {
    // draft §5.3.3.5: T_probe is the least of 2 to 3 s and of as many rounds as Reno would need.
    let mut path = path();
    path.run(9500);
    let up: Vec<Instant> = path.flows[0]
        .phases
        .iter()
        .filter(|(_, phase)| *phase == Phase::ProbeBwUp)
        .map(|(at, _)| *at)
        .collect();
    assert!(up.len() >= 3, "{up:?}");
    for pair in up.windows(2) {
        let apart = pair[1].saturating_since(pair[0]);
        assert!((1500..3500).contains(&apart.as_millis()), "{apart:?}");
    }
    let entered = phases(&path, 0);
    for pair in entered.windows(2).skip(2) {
        use Phase::{ProbeBwCruise, ProbeBwDown, ProbeBwRefill, ProbeBwUp};
        let is_in_order = matches!(
            pair,
            [ProbeBwDown, ProbeBwCruise | ProbeBwRefill]
                | [ProbeBwCruise, ProbeBwRefill]
                | [ProbeBwRefill, ProbeBwUp]
                | [ProbeBwUp, ProbeBwDown]
        );
        assert!(is_in_order, "{pair:?}");
    }
}

#[test]
fn after_ten_seconds_it_looks_at_the_empty_path_for_a_fifth_of_a_second() {
    // draft §5.3.4: two flows keep a queue, so that the shortest round trip grows old.
    let mut path = path();
    path.add(bbr(2));
    path.run(30_000);
    let mut seen = 0;
    for flow in &path.flows {
        for pair in flow.phases.windows(2).filter(|pair| pair[0].1 == Phase::ProbeRtt) {
            let lasted = pair[1].0.saturating_since(pair[0].0).as_millis();
            assert!((200..600).contains(&lasted), "{lasted} ms");
            assert!(pair[0].0 >= Instant::from_micros(10_000_000));
            seen += 1;
        }
    }
    assert!(seen > 0, "one of them at least");
}

#[test]
fn a_faster_path_is_found() {
    let mut path = path();
    path.run(3000);
    path.rate = 4 * RATE;
    path.run(8000);
    let (delivered, _) = path.run(2000);
    assert!(percent(delivered[0], 8 * RATE) >= 85, "{} bytes", delivered[0]);
}

#[test]
fn a_slower_path_is_noticed_and_the_queue_goes() {
    let mut path = path();
    path.run(3000);
    path.rate = RATE / 2;
    path.run(8000);
    let (delivered, backlog) = path.run(3000);
    assert!(percent(delivered[0], 3 * RATE / 2) >= 93, "{} bytes", delivered[0]);
    assert!(backlog < path.bdp(), "{backlog} of {} bytes", path.bdp());
}

#[test]
fn a_longer_route_is_noticed_when_the_old_round_trip_is_ten_seconds_old() {
    let mut path = path();
    path.run(3000);
    path.rtt = Duration::from_millis(120);
    path.run(16_000);
    let (delivered, _) = path.run(4000);
    assert!(percent(delivered[0], 4 * RATE) >= 93, "{} bytes", delivered[0]);
}

#[test]
fn a_shallow_queue_loses_little_and_costs_little() {
    // A queue of a fifth of what the path holds.
    let mut path = Path::new(RATE, 40, RATE * 40 / 1000 / 5);
    path.add(bbr(1));
    path.run(3000);
    let lost = path.flows[0].lost;
    let (delivered, _) = path.run(20_000);
    assert!(percent(delivered[0], 20 * RATE) >= 85, "{} bytes", delivered[0]);
    let lost = path.flows[0].lost - lost;
    assert!(percent(lost, delivered[0]) < 2, "{lost} lost of {}", delivered[0]);
}

#[test]
fn losses_by_chance_below_two_percent_hardly_matter() {
    let mut path = path();
    path.loss_every = 100;
    path.run(3000);
    let (delivered, _) = path.run(10_000);
    assert!(percent(delivered[0], 10 * RATE) >= 80, "{} bytes", delivered[0]);
}

#[test]
fn two_flows_share_the_path() {
    let mut path = path();
    path.run(2000);
    path.add(bbr(7));
    path.run(25_000);
    let (delivered, backlog) = path.run(20_000);
    let sum = delivered[0] + delivered[1];
    assert!(percent(sum, 20 * RATE) >= 95, "{delivered:?}");
    assert!(percent(delivered[0].min(delivered[1]), sum) >= 40, "{delivered:?}");
    assert!(backlog < 2 * path.bdp(), "{backlog} of {} bytes", path.bdp());
}

#[test]
fn after_silence_it_goes_on_at_the_rate_of_the_path() {
    // draft §5.4.1
    let mut path = path();
    path.run(3000);
    path.flows[0].fall_silent();
    path.run(5000);
    assert_eq!(path.flows[0].in_flight, 0);
    path.flows[0].is_silent = false;
    let (delivered, backlog) = path.run(1000);
    assert!(percent(delivered[0], RATE) >= 90, "{} bytes", delivered[0]);
    assert!(percent(backlog, path.bdp()) < 30, "{backlog} bytes");
}

#[test]
fn silence_longer_than_ten_seconds_takes_the_place_of_probe_rtt() {
    let mut path = path();
    path.run(3000);
    path.flows[0].fall_silent();
    path.run(12_000);
    path.flows[0].is_silent = false;
    path.run(2000);
    assert!(!phases(&path, 0).contains(&Phase::ProbeRtt));
}

fn sample(now_ms: u64, prior: u64, total: u64) -> AckSample {
    AckSample {
        now: Instant::from_micros(1000 * now_ms),
        acked: SMSS,
        delivered: SMSS,
        lost: 0,
        in_flight_before: 20 * SMSS,
        in_flight: 19 * SMSS,
        una: Seq::default(),
        max: Seq::default(),
        is_cwnd_limited: true,
        rtt: Some(Duration::from_millis(10)),
        min_rtt: Some(Duration::from_millis(10)),
        srtt: Some(Duration::from_millis(10)),
        ce_bytes: 0,
        rate: Some(RateSample {
            delivered: total - prior,
            interval: Duration::from_millis(10),
            prior_delivered: prior,
            total_delivered: total,
            tx_in_flight: 20 * SMSS,
            lost: 0,
            is_app_limited: false,
        }),
    }
}

fn loss() -> CongestionEvent {
    CongestionEvent {
        now: Instant::ZERO,
        flight_size: 20 * SMSS,
        in_flight: 19 * SMSS,
        signal: CongestionSignal::Loss,
    }
}

#[test]
fn before_a_round_trip_is_known_nothing_is_paced() {
    let mut bbr = bbr(1);
    assert_eq!(bbr.pacing_rate_bytes_per_s(), None);
    bbr.on_ack(&sample(10, 0, 1000));
    // draft §5.6.2: the initial window in a round trip, times 2.77
    assert_eq!(bbr.pacing_rate_bytes_per_s(), Some(2_770_000));
    assert!(!bbr.uses_prr());
}

#[test]
fn a_timeout_leaves_one_segment_and_the_repair_brings_the_window_back() {
    // draft §5.6.4.4
    let mut bbr = bbr(1);
    for round in 0..3 {
        bbr.on_ack(&sample(10 * round, 1000 * round, 1000 * (round + 1)));
    }
    let before = bbr.cwnd();
    bbr.on_timeout(Instant::ZERO, 20 * SMSS, true);
    assert_eq!(bbr.cwnd(), SMSS);
    bbr.on_ack(&sample(40, 3000, 4000));
    assert_eq!(bbr.cwnd(), 2 * SMSS);
    bbr.on_recovered(Instant::ZERO, 0);
    assert_eq!(bbr.cwnd(), before);
}

#[test]
fn heavy_loss_in_startup_ends_it_and_is_undone_if_it_was_none() {
    // draft §5.3.1.3, §5.5.11
    let mut bbr = bbr(1);
    let mut total = 0;
    for round in 0..4 {
        let delivered = (10 << round) * SMSS;
        bbr.on_ack(&sample(10 * round, total, total + delivered));
        total += delivered;
    }
    assert_eq!(bbr.phase(), Phase::Startup);
    bbr.on_congestion(&loss());
    for step in 0..8 {
        let lost = LossSample {
            bytes: SMSS,
            tx_in_flight: 20 * SMSS,
            lost: SMSS * (step + 1),
            is_app_limited: false,
        };
        bbr.on_lost(Instant::ZERO, &lost);
        let mut ack = sample(40 + step, total - SMSS, total);
        ack.lost = SMSS;
        ack.rate.as_mut().unwrap().lost = SMSS * (step + 1);
        bbr.on_ack(&ack);
    }
    let mut ack = sample(60, total, total + SMSS);
    ack.rate.as_mut().unwrap().lost = 8 * SMSS;
    bbr.on_ack(&ack);
    assert_ne!(bbr.phase(), Phase::Startup);
    assert!(bbr.bounds.inflight_longterm < u64::MAX);
    bbr.undo(Instant::ZERO);
    assert_eq!(bbr.state, State::Startup);
    assert_eq!(bbr.bounds.inflight_longterm, u64::MAX);
}

#[test]
fn a_mark_lowers_the_short_term_bounds_once_in_a_round() {
    // RFC 3168 §6.1.2 with the bounds of draft §5.5.10.3
    let mut bbr = bbr(1);
    bbr.full_pipe.is_reached = true;
    bbr.start_down(Instant::ZERO);
    bbr.start_cruise();
    bbr.max_bw.update(RATE);
    bbr.cwnd = 100 * SMSS;
    bbr.on_ack(&sample(10, 0, 1000));
    bbr.on_congestion(&CongestionEvent { signal: CongestionSignal::Ecn, ..loss() });
    bbr.on_ack(&sample(20, 1000, 2000));
    assert!(bbr.bounds.bw_shortterm <= bbr.max_bw.get());
    let bounded = bbr.bounds.bw_shortterm;
    assert!(bounded >= bbr.max_bw.get() * 7 / 10);
    bbr.on_ack(&sample(30, 2000, 3000));
    assert_eq!(bbr.bounds.bw_shortterm, bounded, "no mark in this round");
}

#[derive(Clone, Debug)]
enum Step {
    Ack { ms: u64, delivered: u64, in_flight: u64, rtt_ns: u64, limited: bool, lost: u64 },
    Lost { bytes: u64, tx_in_flight: u64, lost: u64 },
    Congestion(bool),
    Recovered,
    Timeout(bool),
    Undo,
    Start(bool),
    Smss(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let amount = || prop_oneof![Just(0), 1..100_000_u64, any::<u64>()];
    prop_oneof![
        8 => (0..3000_u64, amount(), amount(), any::<u64>(), any::<bool>(), amount()).prop_map(
            |(ms, delivered, in_flight, rtt_ns, limited, lost)| Step::Ack {
                ms, delivered, in_flight, rtt_ns, limited, lost
            }
        ),
        2 => (amount(), amount(), amount())
            .prop_map(|(bytes, tx_in_flight, lost)| Step::Lost { bytes, tx_in_flight, lost }),
        1 => any::<bool>().prop_map(Step::Congestion),
        1 => Just(Step::Recovered),
        1 => any::<bool>().prop_map(Step::Timeout),
        1 => Just(Step::Undo),
        1 => any::<bool>().prop_map(Step::Start),
        1 => (1..70_000_u32).prop_map(Step::Smss),
    ]
}

fn take(bbr: &mut Bbr, now: &mut Instant, total: &mut u64, step: &Step) {
    match *step {
        Step::Ack { ms, delivered, in_flight, rtt_ns, limited, lost } => {
            *now += Duration::from_millis(ms);
            let prior = *total;
            *total = total.saturating_add(delivered);
            bbr.on_ack(&AckSample {
                now: *now,
                delivered,
                lost,
                in_flight,
                rtt: Some(Duration::from_nanos(rtt_ns)),
                is_cwnd_limited: limited,
                rate: (delivered > 0).then_some(RateSample {
                    delivered,
                    interval: Duration::from_nanos(rtt_ns.max(1)),
                    prior_delivered: prior,
                    total_delivered: *total,
                    tx_in_flight: in_flight,
                    lost,
                    is_app_limited: limited,
                }),
                ..sample(0, 0, 0)
            });
        }
        Step::Lost { bytes, tx_in_flight, lost } => {
            bbr.on_lost(*now, &LossSample { bytes, tx_in_flight, lost, is_app_limited: false });
        }
        Step::Congestion(is_mark) => {
            let signal = if is_mark { CongestionSignal::Ecn } else { CongestionSignal::Loss };
            bbr.on_congestion(&CongestionEvent { now: *now, signal, ..loss() });
        }
        Step::Recovered => bbr.on_recovered(*now, 0),
        Step::Timeout(is_first) => bbr.on_timeout(*now, 0, is_first),
        Step::Undo => bbr.undo(*now),
        Step::Start(is_app_limited) => bbr.on_transmit_start(*now, is_app_limited),
        Step::Smss(smss) => bbr.set_smss(smss),
    }
}

proptest! {
    #[test]
    fn nothing_overflows_and_the_window_keeps_a_segment(
        steps in prop::collection::vec(step(), 0..100),
    ) {
        let mut bbr = bbr(3);
        let (mut now, mut total) = (Instant::ZERO, 0);
        for step in &steps {
            take(&mut bbr, &mut now, &mut total, step);
            prop_assert!(bbr.cwnd() >= bbr.smss() && bbr.cwnd() <= 1 << 32);
            prop_assert!(bbr.pacing_rate_bytes_per_s().is_none_or(|rate| rate > 0));
        }
    }
}
