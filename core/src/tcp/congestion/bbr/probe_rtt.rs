//! ProbeRTT (draft §5.3.4): when the shortest round trip is ten seconds old, half of what the path
//! holds is kept in flight for 200 ms and a round trip, so that the queue empties and shows it anew.

use std::time::Duration;

use super::super::AckSample;
use super::probe_bw::AckPhase;
use super::{Bbr, State};
use crate::time::Instant;

/// How long little is in flight (ProbeRTTDuration).
const DURATION: Duration = Duration::from_millis(200);

/// What ProbeRTT keeps in mind.
#[derive(Clone, Debug, Default)]
pub(super) struct ProbeRtt {
    /// The window meanwhile: from the old round trip, since the new one may be that of a full queue.
    pub(super) cwnd: u64,
    /// When it may end; None: too much is still in flight.
    done_stamp: Option<Instant>,
    is_round_done: bool,
}

impl Bbr {
    pub(super) fn update_min_rtt(&mut self, ack: &AckSample) {
        self.min_rtt.check_expiry(ack.now);
        if self.min_rtt.is_expired && self.state != State::ProbeRtt {
            self.probe_rtt.cwnd = self.bdp(50).max(self.min_pipe_cwnd());
        }
        if let Some(rtt) = ack.rtt {
            self.min_rtt.update(ack.now, rtt);
        }
    }

    pub(super) fn check_probe_rtt(&mut self, ack: &AckSample) {
        if self.state != State::ProbeRtt && self.min_rtt.is_expired && !self.is_idle_restart {
            self.save_cwnd();
            self.state = State::ProbeRtt;
            self.probe_rtt.done_stamp = None;
            self.cycle.ack_phase = AckPhase::ProbeStopping;
            self.start_round();
        }
        if self.state == State::ProbeRtt {
            self.handle_probe_rtt(ack);
        }
        if ack.delivered > 0 {
            self.is_idle_restart = false;
        }
    }

    fn handle_probe_rtt(&mut self, ack: &AckSample) {
        // What is sent now measures the small window, not the path.
        self.limited_until = self.delivered.saturating_add(ack.in_flight);
        if self.probe_rtt.done_stamp.is_none() {
            if ack.in_flight <= self.probe_rtt.cwnd {
                self.probe_rtt.done_stamp = Some(ack.now + DURATION);
                self.probe_rtt.is_round_done = false;
                self.start_round();
            }
            return;
        }
        self.probe_rtt.is_round_done |= self.rounds.is_start;
        if self.probe_rtt.is_round_done {
            self.check_probe_rtt_done(ack.now);
        }
    }

    /// Ends ProbeRTT if its time is over.
    pub(super) fn check_probe_rtt_done(&mut self, now: Instant) {
        if self.probe_rtt.done_stamp.is_none_or(|done| now <= done) {
            return;
        }
        self.min_rtt.stamp = now;
        self.restore_cwnd();
        self.bounds.forget_short_term();
        if self.full_pipe.is_reached {
            // Little is in flight: there is nothing to slow down for, but the clock starts anew.
            self.start_down(now);
            self.start_cruise();
        } else {
            self.state = State::Startup;
        }
    }
}
