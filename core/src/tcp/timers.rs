//! The timers of one connection: one deadline per kind.
//!
//! Owns when each fires and nothing else: what a timer means and when it is set is decided where
//! its rule is. The next deadline is exact, so whoever sleeps until then is never late or early.

use crate::event::TimerName;
use crate::time::Instant;

/// Every kind, in the order in which timers due at the same moment fire.
const ALL: [TimerName; 11] = [
    TimerName::Reordering,
    TimerName::TailLossProbe,
    TimerName::Retransmission,
    TimerName::Persist,
    TimerName::DelayedAck,
    TimerName::SwsOverride,
    TimerName::Pacing,
    TimerName::Keepalive,
    TimerName::UserTimeout,
    TimerName::TimeWait,
    TimerName::FinWait2,
];

/// A deadline at the end of time: not armed.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// The deadlines of one connection.
///
/// Keepalive is all that an idle connection may wait for, and three more are what any other waits for;
/// the rest is kept elsewhere, from when the first of them is armed until the owner
/// [rests](Timers::rest).
#[derive(Clone, Debug)]
pub struct Timers {
    keepalive: Instant,
    retransmission: Instant,
    tail_loss_probe: Instant,
    delayed_ack: Instant,
    rare: Option<Box<Rare>>,
}

/// The deadlines of timers that few connections ever arm.
#[derive(Clone, Debug)]
struct Rare {
    reordering: Instant,
    persist: Instant,
    sws_override: Instant,
    pacing: Instant,
    user_timeout: Instant,
    time_wait: Instant,
    fin_wait_2: Instant,
}

impl Rare {
    const NONE: Rare = Rare {
        reordering: NEVER,
        persist: NEVER,
        sws_override: NEVER,
        pacing: NEVER,
        user_timeout: NEVER,
        time_wait: NEVER,
        fin_wait_2: NEVER,
    };

    /// Those in `place`, made if they are not there.
    fn of(place: &mut Option<Box<Rare>>) -> &mut Rare {
        place.get_or_insert_with(|| Box::new(Rare::NONE))
    }

    fn earliest(&self) -> Instant {
        let Rare { reordering, persist, sws_override, pacing, .. } = *self;
        let first = reordering.min(persist).min(sws_override).min(pacing);
        first.min(self.user_timeout).min(self.time_wait).min(self.fin_wait_2)
    }
}

impl Default for Timers {
    fn default() -> Timers {
        Timers::new()
    }
}

impl Timers {
    /// None armed.
    pub const fn new() -> Timers {
        Timers {
            keepalive: NEVER,
            retransmission: NEVER,
            tail_loss_probe: NEVER,
            delayed_ack: NEVER,
            rare: None,
        }
    }

    /// Sets `name` to fire at `deadline`, in place of any earlier deadline of it. The last point of
    /// the time axis means never.
    #[inline]
    pub fn arm(&mut self, name: TimerName, deadline: Instant) {
        *self.place(name) = deadline;
    }

    /// Stops `name`; whether it was armed.
    #[inline]
    pub fn stop(&mut self, name: TimerName) -> bool {
        let is_armed = self.is_armed(name);
        if is_armed {
            self.arm(name, NEVER);
        }
        is_armed
    }

    /// Whether `name` waits to fire.
    #[inline]
    pub fn is_armed(&self, name: TimerName) -> bool {
        self.at(name) != NEVER
    }

    /// When `name` fires, if it is armed.
    #[inline]
    pub fn deadline(&self, name: TimerName) -> Option<Instant> {
        Some(self.at(name)).filter(|deadline| *deadline != NEVER)
    }

    #[inline]
    fn at(&self, name: TimerName) -> Instant {
        let rare = |at: fn(&Rare) -> Instant| self.rare.as_deref().map_or(NEVER, at);
        match name {
            TimerName::Keepalive => self.keepalive,
            TimerName::Retransmission => self.retransmission,
            TimerName::TailLossProbe => self.tail_loss_probe,
            TimerName::DelayedAck => self.delayed_ack,
            TimerName::Reordering => rare(|rare| rare.reordering),
            TimerName::Persist => rare(|rare| rare.persist),
            TimerName::SwsOverride => rare(|rare| rare.sws_override),
            TimerName::Pacing => rare(|rare| rare.pacing),
            TimerName::UserTimeout => rare(|rare| rare.user_timeout),
            TimerName::TimeWait => rare(|rare| rare.time_wait),
            TimerName::FinWait2 => rare(|rare| rare.fin_wait_2),
        }
    }

    #[inline]
    fn place(&mut self, name: TimerName) -> &mut Instant {
        let rare = &mut self.rare;
        match name {
            TimerName::Keepalive => &mut self.keepalive,
            TimerName::Retransmission => &mut self.retransmission,
            TimerName::TailLossProbe => &mut self.tail_loss_probe,
            TimerName::DelayedAck => &mut self.delayed_ack,
            TimerName::Reordering => &mut Rare::of(rare).reordering,
            TimerName::Persist => &mut Rare::of(rare).persist,
            TimerName::SwsOverride => &mut Rare::of(rare).sws_override,
            TimerName::Pacing => &mut Rare::of(rare).pacing,
            TimerName::UserTimeout => &mut Rare::of(rare).user_timeout,
            TimerName::TimeWait => &mut Rare::of(rare).time_wait,
            TimerName::FinWait2 => &mut Rare::of(rare).fin_wait_2,
        }
    }

    /// When the first of them fires.
    pub fn next_deadline(&self) -> Option<Instant> {
        Some(self.earliest()).filter(|next| *next != NEVER)
    }

    /// The timer that fires first, and when.
    pub fn next(&self) -> Option<(TimerName, Instant)> {
        let next = self.next_deadline()?;
        self.iter().find(|(_, deadline)| *deadline == next)
    }

    /// Stops the earliest timer that is due at `now` and returns it; call it until `None`.
    pub fn expire(&mut self, now: Instant) -> Option<TimerName> {
        self.next_deadline().filter(|next| *next <= now)?;
        let (name, _) = self.next()?;
        self.stop(name);
        Some(name)
    }

    /// The armed timers with their deadlines.
    pub fn iter(&self) -> impl Iterator<Item = (TimerName, Instant)> {
        ALL.into_iter().filter_map(|name| Some((name, self.deadline(name)?)))
    }

    /// The owner has nothing to do: what no timer needs is given up. Says whether none is armed but
    /// keepalive.
    pub fn rest(&mut self) -> bool {
        let is_usual = [self.retransmission, self.tail_loss_probe, self.delayed_ack] == [NEVER; 3];
        self.rare.take_if(|rare| rare.earliest() == NEVER);
        is_usual && self.rare.is_none()
    }

    fn earliest(&self) -> Instant {
        let rare = self.rare.as_ref().map_or(NEVER, |rare| rare.earliest());
        let usual = self.retransmission.min(self.tail_loss_probe).min(self.delayed_ack);
        usual.min(self.keepalive).min(rare)
    }
}

#[cfg(test)]
mod tests;
