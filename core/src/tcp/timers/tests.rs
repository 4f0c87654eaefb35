use super::{ALL, Timers};
use crate::event::TimerName::{DelayedAck, Persist, Retransmission, TimeWait};
use crate::time::Instant;

fn at(us: u64) -> Instant {
    Instant::from_micros(us)
}

#[test]
fn each_kind_has_its_own_deadline() {
    let mut timers = Timers::new();
    for (index, name) in (1..).zip(ALL) {
        timers.arm(name, at(index));
    }
    assert_eq!(
        timers.iter().collect::<Vec<_>>(),
        ALL.into_iter().zip((1..).map(at)).collect::<Vec<_>>()
    );
    for name in ALL {
        assert!(timers.stop(name) && !timers.is_armed(name));
    }
    assert_eq!(timers.next_deadline(), None);
}

#[test]
fn the_next_deadline_is_the_earliest() {
    let mut timers = Timers::new();
    assert_eq!(timers.next(), None);
    timers.arm(Retransmission, at(300));
    timers.arm(DelayedAck, at(40));
    timers.arm(TimeWait, at(500));
    assert_eq!(timers.next(), Some((DelayedAck, at(40))));
    timers.arm(DelayedAck, at(400)); // later than before
    assert_eq!(timers.next(), Some((Retransmission, at(300))));
}

#[test]
fn due_timers_expire_in_order_and_once() {
    let mut timers = Timers::new();
    timers.arm(Retransmission, at(300));
    timers.arm(DelayedAck, at(40));
    timers.arm(TimeWait, at(301));
    assert_eq!(timers.expire(at(39)), None);
    assert_eq!(timers.expire(at(300)), Some(DelayedAck));
    assert_eq!(timers.expire(at(300)), Some(Retransmission));
    assert_eq!(timers.expire(at(300)), None);
    assert_eq!(timers.iter().collect::<Vec<_>>(), [(TimeWait, at(301))]);
}

#[test]
fn stopping_says_whether_it_was_armed() {
    let mut timers = Timers::new();
    assert!(!timers.stop(Persist));
    timers.arm(Persist, at(1));
    assert_eq!(timers.deadline(Persist), Some(at(1)));
    assert!(timers.stop(Persist));
    assert_eq!(timers.deadline(Persist), None);
}

#[test]
fn timers_due_together_fire_in_a_fixed_order() {
    let mut timers = Timers::new();
    timers.arm(DelayedAck, at(7));
    timers.arm(Retransmission, at(7));
    assert_eq!(timers.expire(at(7)), Some(Retransmission));
    assert_eq!(timers.expire(at(7)), Some(DelayedAck));
}

#[test]
fn the_end_of_time_never_comes() {
    let mut timers = Timers::new();
    timers.arm(TimeWait, at(u64::MAX));
    assert_eq!(timers.next(), None);
    assert_eq!(timers.expire(at(u64::MAX)), None);
}
