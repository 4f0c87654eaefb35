//! Loss recovery: what was sent, what of it arrived, what is lost, and what is sent again.
//!
//! [`Recovery`] is the only thing that others talk to. It answers how much is in flight and what
//! has to be sent again; how much may be in flight is the congestion controller's, which is told
//! here what happened. Its parts, in the order in which to read them:
//!
//! | file | what it answers |
//! |---|---|
//! | `ranges` | a set of sequence numbers |
//! | `scoreboard` | what was sent, when, and what is known of it (RFC 6675 §3) |
//! | `delivery` | what an ACK says: delivered, SACKed, come twice (RFC 2018, RFC 2883) |
//! | `reaction` | what the connection and the controller make of it |
//! | `states` | Open, Disorder, CWR, Recovery, Loss: what an ACK leads to |
//! | `losses` | what is lost, by which rule |
//! | `reduction` | how a repair begins and ends |
//! | `newreno` | peers without SACK (RFC 6582, RFC 3042) |
//! | `rack` | what time says is lost (RFC 8985 §6) |
//! | `tail_probe` | when the end of a flight was lost (RFC 8985 §7) |
//! | `prr` | how much may leave while the window is reduced (RFC 9937) |
//! | `counts` | what of it TCP_INFO tells |
//! | `frto`, `undo` | whether all that was needed (RFC 5682, RFC 3522, RFC 4015, RFC 3708) |

pub mod counts;
pub mod delivery;
pub mod frto;
mod losses;
pub mod newreno;
pub mod prr;
pub mod rack;
pub mod ranges;
mod reaction;
mod reduction;
pub mod scoreboard;
pub mod states;
pub mod tail_probe;
pub mod undo;
pub mod window_probes;

use std::num::NonZeroU64;
use std::time::Duration;

pub use counts::Counts;
pub use delivery::Acknowledgment;
use frto::Frto;
use newreno::NewReno;
use prr::Prr;
use rack::{Rack, ReorderingWindow};
pub use reaction::AckReport;
use scoreboard::{Departure, Scoreboard};
pub use states::RepairState;
pub use tail_probe::TailProbe;
use undo::Undo;
pub use window_probes::WindowProbes;

use super::congestion::{CongestionControl, WindowUse};
use super::delivery_rate::{DeliveryRate, Totals};
use super::rtt::RttEstimator;
use super::sender::Sender;
use super::seq::Seq;
use crate::event::Reason;
use crate::knobs::Knobs;
use crate::time::Instant;

/// What recovery looks at and speaks to.
pub struct Scene<'a> {
    /// The time.
    pub now: Instant,
    /// The stack's knobs.
    pub knobs: &'a Knobs,
    /// SND.UNA, as it has moved, and the rest.
    pub snd: &'a Sender,
    /// Round trips.
    pub rtt: &'a mut RttEstimator,
    /// The window.
    pub congestion: &'a mut dyn CongestionControl,
    /// The numbers of a segment that is out to try a larger MTU, if one is.
    pub mtu_probe: Option<(Seq, Seq)>,
}

/// What only a connection needs that has something on its way.
#[derive(Clone, Debug)]
struct Flight {
    board: Scoreboard,
    rack: Rack,
    rate: DeliveryRate,
    usage: WindowUse,
}

impl Flight {
    /// The flight that begins at `start`, in the memory of one that has landed if there is one.
    fn begin(landed: Option<Box<Flight>>, start: Seq, totals: Totals) -> Box<Flight> {
        let (rack, usage) = (Rack::new(start), WindowUse::default());
        let rate = DeliveryRate::resume(totals);
        let Some(mut flight) = landed else {
            return Box::new(Flight { board: Scoreboard::default(), rack, rate, usage });
        };
        // A board on which all was acknowledged is as good as new, and has room already.
        debug_assert!(flight.board.is_empty());
        (flight.rack, flight.rate, flight.usage) = (rack, rate, usage);
        flight
    }
}

/// What only a connection needs on whose path something was lost or out of order.
#[derive(Clone, Debug, Default)]
struct Episode {
    prr: Prr,
    undo: Undo,
    frto: Frto,
    window: ReorderingWindow,
    counts: Counts,
}

/// Loss detection and repair of one connection.
#[derive(Clone, Debug)]
pub struct Recovery {
    state: RepairState,
    /// Whether the peer takes and gives SACK (RFC 2018 §2).
    has_sack: bool,
    /// SND.MAX when the present or the last reduction began (RFC 6582: `recover`).
    recover: Seq,
    /// What is on its way; nothing while nothing is.
    flight: Option<Box<Flight>>,
    /// The memory of the flight before, until the connection rests.
    landed: Option<Box<Flight>>,
    /// How fast the network delivered before that: the rate doubled, and one if the application held
    /// it down.
    last_rate: Option<NonZeroU64>,
    newreno: NewReno,
    probe: TailProbe,
    episode: Option<Box<Episode>>,
    /// Segments by which the path has been seen to reorder (DupThresh, RFC 6675 §2).
    reordering: u32,
    /// The next lost segment leaves whatever cwnd says.
    is_forced: bool,
    /// Timeouts in a row without SND.UNA moving: what R2 counts (RFC 9293 §3.8.3). The RTO stays
    /// backed off longer, until a round trip was measured (Karn).
    timeouts: u8,
    /// When the SYN was sent, if it is being timed, in nanoseconds, and one more.
    syn_sent_at: Option<NonZeroU64>,
    /// What is asked of a peer whose window is closed.
    pub window_probes: WindowProbes,
}

/// A transmission, as the output made it.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Its first number.
    pub start: Seq,
    /// The number after its last, a FIN counted.
    pub end: Seq,
    /// Some of it had left before.
    pub is_repeat: bool,
    /// It is a tail loss probe.
    pub is_tail_probe: bool,
    /// Numbers that each of its segments takes up; all of them unless it is a super-segment.
    pub segment_size: u64,
}

impl Recovery {
    /// Nothing sent; `iss` is our initial sequence number.
    pub fn new(knobs: &Knobs, iss: Seq) -> Recovery {
        Recovery {
            state: RepairState::Open,
            has_sack: false,
            recover: iss,
            flight: None,
            landed: None,
            last_rate: None,
            newreno: NewReno::default(),
            probe: TailProbe::default(),
            episode: None,
            reordering: knobs.reordering(),
            is_forced: false,
            timeouts: 0,
            syn_sent_at: None,
            window_probes: WindowProbes::default(),
        }
    }

    /// The handshake is complete by `ack`, which may cover text that left before (RFC 7413);
    /// `has_sack`: both SYNs said that SACK is permitted.
    pub fn on_open(&mut self, now: Instant, ack: Seq, has_sack: bool) {
        if let Some(flight) = &mut self.flight {
            flight.board.acknowledge(ack, |_| {});
        }
        self.land();
        self.has_sack = has_sack;
        self.timeouts = 0;
        self.note_timeouts_over(now);
        self.syn_sent_at = None;
    }

    /// Bytes in flight: sent, and neither acknowledged, reported by the peer, nor lost.
    pub fn in_flight(&self, snd: &Sender) -> u64 {
        let pipe = self.board().map_or(0, Scoreboard::in_flight);
        if self.has_sack { pipe } else { pipe.saturating_sub(self.newreno.gone(snd)) }
    }

    /// A piece of text (or the FIN) leaves, with `in_flight` before it.
    pub fn on_transmit(&mut self, now: Instant, snd: &Sender, in_flight: u64, sent: Sent) {
        let len = sent.end.since(sent.start);
        let totals = self.resting_totals(snd.iss, sent.start);
        let Recovery { flight, landed, .. } = self;
        let flight = flight.get_or_insert_with(|| Flight::begin(landed.take(), sent.start, totals));
        let rate = flight.rate.on_send(now, in_flight, len);
        let departure = Departure {
            start: sent.start,
            end: sent.end,
            segment_size: u32::try_from(sent.segment_size).unwrap_or(u32::MAX),
            is_repeat: sent.is_repeat,
            now,
            rate,
        };
        flight.board.on_transmit(&departure);
        if sent.is_repeat {
            let segments =
                u32::try_from(len.div_ceil(sent.segment_size.max(1))).unwrap_or(u32::MAX);
            let episode = self.episode.get_or_insert_default();
            episode.counts.retransmitted = episode.counts.retransmitted.saturating_add(segments);
            episode.undo.on_repeat(now, segments);
            self.is_forced = false;
        } else {
            self.probe.reschedule();
        }
        if sent.is_tail_probe {
            self.probe.on_sent(snd.nxt, sent.is_repeat);
        }
        if let Some(episode) = &mut self.episode
            && self.state.is_reducing()
        {
            episode.prr.on_sent(len);
        }
    }

    /// What left used so much of a window of `cwnd` bytes.
    pub fn note_window_use(&mut self, snd: &Sender, cwnd: u64) {
        let in_flight = self.in_flight(snd);
        if let Some(flight) = &mut self.flight {
            flight.usage.on_transmit(snd.una, snd.nxt, in_flight, cwnd, snd.smss);
        }
    }

    /// The timer of a SYN fired.
    pub fn on_syn_timeout(&mut self, now: Instant) {
        self.note_timeout(now);
    }

    fn note_timeout(&mut self, now: Instant) {
        let counts = &mut self.episode.get_or_insert_default().counts;
        counts.timeouts.on_timeout(now, self.timeouts == 0);
        self.timeouts = self.timeouts.saturating_add(1);
    }

    fn note_timeouts_over(&mut self, now: Instant) {
        if let Some(episode) = &mut self.episode {
            episode.counts.timeouts.on_repaired(now);
        }
    }

    /// A round trip was measured by other means than an acknowledgment of text.
    pub fn on_rtt(&mut self) {
        self.probe.on_rtt();
    }

    /// Why what is lost is sent again: how it was found.
    pub fn repair_reason(&self, knobs: &Knobs) -> Reason {
        match self.state {
            RepairState::Loss => Reason::TimeoutRetransmit,
            _ if !self.has_sack => Reason::FastRetransmit,
            _ if knobs.rack().is_on => Reason::RackRetransmit,
            _ => Reason::SackRetransmit,
        }
    }

    /// The lowest range that is lost and has not been sent again.
    pub fn first_lost(&self) -> Option<(Seq, Seq)> {
        self.board()?.lost().first()
    }

    /// Nothing is on its way nor being repaired: an acknowledgment of nothing, without SACK blocks and
    /// marks, changes nothing in [`Recovery::on_ack`], which need not be told of it.
    pub fn is_at_rest(&self) -> bool {
        self.flight.is_none() && self.state == RepairState::Open
    }

    /// Whether nothing has to be sent again, and none of what may be sent has to be looked for.
    pub fn is_silent(&self) -> bool {
        !self.probe.is_due() && !self.prefers_new_data() && !self.has_lost()
    }

    /// Whether the next lost segment leaves whatever cwnd says: the first of a repair
    /// (RFC 6675 §5 (4.3), RFC 6582 §3.2), and the one a timeout asks for.
    pub fn is_forced(&self) -> bool {
        self.is_forced
    }

    /// Whether new data leaves before what is lost (RFC 5682 §3.1, step 2b).
    pub fn prefers_new_data(&self) -> bool {
        self.episode.as_ref().is_some_and(|episode| episode.frto == Frto::SendingNew)
    }

    /// There is no new data to send after all: F-RTO can say nothing (RFC 5682 §3.1, step 2b).
    /// True if lost data may leave in its place; false once new data has left.
    pub fn give_up_new_data(&mut self, snd: &Sender) -> bool {
        if snd.nxt > self.recover {
            return false;
        }
        if let Some(episode) = &mut self.episode {
            episode.frto = Frto::Off;
        }
        true
    }

    /// What a tail loss probe that is due sends if there is no new data: the last segment.
    pub fn last_segment(&self) -> Option<(Seq, Seq)> {
        self.board()?.last_segment()
    }

    /// Whether a tail loss probe has to leave now, once.
    pub fn take_due_probe(&mut self) -> bool {
        self.probe.take_due()
    }

    /// The tail loss probe's timer fired.
    pub fn on_probe_timer(&mut self) {
        if self.may_probe() {
            self.probe.on_timer();
        }
    }

    /// When a tail loss probe leaves if nothing is heard, should that have to be set anew; None
    /// within where none may leave.
    pub fn take_probe_deadline(
        &mut self,
        knobs: &Knobs,
        now: Instant,
        srtt: Option<Duration>,
        rto_at: Option<Instant>,
    ) -> Option<Option<Instant>> {
        let is_rescheduled = self.probe.take_rescheduled();
        if !self.may_probe() || !knobs.tail_loss_probe() {
            return Some(None);
        }
        is_rescheduled.then(|| {
            let is_lone = self.board().is_some_and(Scoreboard::is_one_segment);
            Some(TailProbe::deadline(now, srtt, is_lone, rto_at))
        })
    }

    /// RFC 8985 §7.2: with SACK, outside of a repair, and nothing SACKed.
    fn may_probe(&self) -> bool {
        self.has_sack
            && self.flight.is_some()
            && matches!(self.state, RepairState::Open | RepairState::Cwr)
            && self.probe.is_possible()
    }

    /// Whether new data leaves beyond cwnd because duplicate ACKs show that segments have left the
    /// network (RFC 3042).
    pub fn is_limited_transmit(&self, snd: &Sender, cwnd: u64) -> bool {
        self.state == RepairState::Disorder && snd.outstanding() >= cwnd
    }

    /// Where the repair stands.
    pub fn state(&self) -> RepairState {
        self.state
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.episode.as_ref().map_or_else(Counts::default, |episode| episode.counts)
    }

    /// Segments by which the path has been seen to reorder (`tcpi_reordering`).
    pub fn reordering(&self) -> u32 {
        self.reordering
    }

    /// What is on its way, if anything is.
    pub fn board(&self) -> Option<&Scoreboard> {
        self.flight.as_ref().map(|flight| &flight.board)
    }

    /// Whether anything is lost and has not been sent again.
    fn has_lost(&self) -> bool {
        self.board().is_some_and(|board| !board.lost().is_empty())
    }

    /// How fast the network delivers, what it delivered and what it lost.
    pub fn rate(&self, snd: &Sender) -> Totals {
        let flight = self.flight.as_ref();
        flight.map_or_else(|| self.resting_totals(snd.iss, snd.una), |flight| flight.rate.totals())
    }

    /// The totals while nothing is in flight: all up to `una` is delivered.
    fn resting_totals(&self, iss: Seq, una: Seq) -> Totals {
        let last = self.last_rate.map(|last| (last.get() >> 1, last.get() & 1 == 1));
        Totals { delivered: una.since(iss + 1), lost: self.counts().lost_bytes, last_rate: last }
    }

    /// Whether what is sent now is held down by the application.
    pub fn is_app_limited(&self) -> bool {
        self.flight.as_ref().is_none_or(|flight| flight.rate.is_app_limited())
    }

    /// There is nothing more to send, be it that a congestion window of `cwnd` bytes would allow it.
    pub fn on_app_limited(&mut self, snd: &Sender, cwnd: u64) {
        let has_room = self.in_flight(snd) < cwnd;
        if let Some(flight) = self.flight.as_mut().filter(|_| has_room) {
            flight.rate.on_app_limited(flight.board.in_flight());
        }
    }

    /// All has arrived: what is worth remembering is kept, the rest is given up.
    fn land(&mut self) {
        if let Some(flight) = self.flight.take_if(|flight| flight.board.is_empty()) {
            let last = flight.rate.totals().last_rate;
            self.last_rate = last
                .and_then(|(rate, is_limited)| NonZeroU64::new(rate << 1 | u64::from(is_limited)));
            self.landed = Some(flight);
        }
    }

    /// The connection waits for nothing: memory that the next flight could have used is given back.
    pub fn rest(&mut self) {
        self.landed = None;
    }

    /// Duplicate ACKs counted, where the peer has no SACK.
    pub fn duplicates(&self) -> u32 {
        self.newreno.duplicates()
    }

    /// Timeouts in a row without progress.
    pub fn timeouts(&self) -> u32 {
        self.timeouts.into()
    }

    /// Times a SYN sent for the first time.
    pub fn start_timing(&mut self, now: Instant) {
        // One more, so that the origin of the clock can be said too.
        let sent_at = NonZeroU64::new(now.as_nanos().saturating_add(1));
        self.syn_sent_at = self.syn_sent_at.or(sent_at);
    }

    /// The round trip that the acknowledgment of the SYN completes. A retransmission stops the clock
    /// (Karn's algorithm, RFC 6298 §3).
    pub fn take_rtt(&mut self, now: Instant) -> Option<Duration> {
        let sent_at = Instant::from_nanos(self.syn_sent_at.take()?.get() - 1);
        Some(now.saturating_since(sent_at))
    }

    /// The SYN is sent again: what is timed can no longer be told apart.
    pub fn stop_timing(&mut self) {
        self.syn_sent_at = None;
    }

    /// Panics where the guarantees of the parts do not hold, or their parts do not fit.
    pub fn check(&self, snd: &Sender) {
        assert!(self.recover <= snd.max);
        let Some(board) = self.board() else { return };
        board.check();
        let Some(first) = board.first() else { panic!("an empty scoreboard is kept") };
        // A SYN is not kept there: before it is acknowledged early text may be (RFC 7413 §4.2.2).
        let una = snd.una.max(snd.iss + 1);
        assert_eq!(first.start, una, "the scoreboard begins at SND.UNA");
        // A SYN+ACK that is due again leaves before all else.
        let is_syn_due = snd.nxt == snd.iss;
        assert!(is_syn_due || board.records().last().is_none_or(|last| last.end == snd.nxt));
    }
}
