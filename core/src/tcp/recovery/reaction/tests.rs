use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::super::{Acknowledgment, Recovery, Scene, Sent};
use super::AckReport;
use crate::knobs::{CongestionAlgorithm, Knobs};
use crate::tcp::congestion::{CongestionControl, Parameters, controller};
use crate::tcp::rtt::RttEstimator;
use crate::tcp::sender::Sender;
use crate::time::Instant;
use crate::wire::tcp_options::SackBlocks;

const MILLISECOND: Duration = Duration::from_millis(1);

/// A sender, and all that its recovery looks at and speaks to.
struct Side {
    now: Instant,
    knobs: Knobs,
    snd: Sender,
    rtt: RttEstimator,
    congestion: Box<dyn CongestionControl>,
    recovery: Recovery,
}

impl Side {
    fn new(algorithm: CongestionAlgorithm, has_sack: bool) -> Side {
        let knobs = Knobs::default();
        let (snd, now) = (Sender::new(1000, 1000), Instant::from_micros(1_000_000));
        let mut recovery = Recovery::new(&knobs, snd.iss);
        recovery.on_open(now, snd.iss + 1, has_sack);
        let parameters = Parameters { abc_l: 0, hystart: true, abe: true, seed: 7 };
        let mut side = Side {
            now,
            rtt: RttEstimator::new(knobs.initial_rto(), knobs.min_rto(), knobs.max_rto()),
            congestion: controller(algorithm, 1000, 10_000, &parameters),
            recovery,
            knobs,
            snd,
        };
        side.snd.advance(1);
        side.snd.acknowledge(side.snd.nxt);
        (side.snd.wnd, side.snd.max_wnd) = (100_000, 100_000);
        side
    }

    fn send(&mut self, len: u64) {
        let (start, in_flight) = (self.snd.nxt, self.recovery.in_flight(&self.snd));
        self.snd.advance(len);
        let end = self.snd.nxt;
        let sent = Sent {
            start,
            end,
            is_repeat: false,
            is_tail_probe: false,
            segment_size: len.min(1000),
        };
        self.recovery.on_transmit(self.now, &self.snd, in_flight, sent);
    }

    /// An acknowledgment of all that was sent, with the marks of so many duplicates.
    fn acknowledge(&mut self, duplicates: u32, echo_rtt: Option<Duration>) -> AckReport {
        let una_before = self.snd.una;
        let in_flight_before = self.recovery.in_flight(&self.snd);
        self.snd.acknowledge(self.snd.nxt);
        let mut scene = Scene {
            now: self.now,
            knobs: &self.knobs,
            snd: &self.snd,
            rtt: &mut self.rtt,
            congestion: &mut *self.congestion,
            mtu_probe: None,
        };
        let ack = Acknowledgment {
            ack: self.snd.una,
            una_before,
            in_flight_before,
            sack: &SackBlocks::default(),
            echo: echo_rtt.map(|rtt| self.now - rtt),
            echo_rtt,
            duplicates,
            has_new_data: false,
            marks: 0,
            has_exact_marks: false,
        };
        self.recovery.on_ack(&mut scene, &ack)
    }

    /// All there is to tell, word for word.
    fn state(&self) -> String {
        format!("{:?} {:?} {:?}", self.recovery, self.rtt, self.congestion)
    }
}

#[test]
fn to_a_recovery_at_rest_an_acknowledgment_of_nothing_says_nothing() {
    // What the connection leaves out would have changed nothing.
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut asked = 0;
    for round in 0..300 {
        let algorithm =
            [CongestionAlgorithm::Reno, CongestionAlgorithm::Cubic, CongestionAlgorithm::Bbr]
                [round % 3];
        let mut side = Side::new(algorithm, random.next_u32().is_multiple_of(2));
        for _ in 0..20 {
            side.now += MILLISECOND * (random.next_u32() % 400);
            match random.next_u32() % 4 {
                0 => side.send(1 + u64::from(random.next_u32() % 3000)),
                1 if side.snd.outstanding() > 0 => drop(side.acknowledge(0, None)),
                _ if side.snd.outstanding() > 0 || !side.recovery.is_at_rest() => {}
                _ => {
                    let before = side.state();
                    let echo = random.next_u32().is_multiple_of(2).then_some(5 * MILLISECOND);
                    let report = side.acknowledge(random.next_u32() % 3, echo);
                    assert_eq!(side.state(), before);
                    assert_eq!(format!("{report:?}"), format!("{:?}", AckReport::default()));
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 1000, "{asked} are few");
}
