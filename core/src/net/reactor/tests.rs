use super::*;
use crate::device::MemoryDevice;
use crate::net::{Flags, Stack, TcpListener, TcpStream};

/// The time so many microseconds into the second second.
fn at(us: u64) -> Instant {
    Instant::from_micros(1_000_000 + us)
}

fn reactor() -> (Reactor, MemoryDevice, MemoryDevice) {
    let (near, far) = MemoryDevice::pair(1500, 0).unwrap();
    (Reactor::new(&near).unwrap(), near, far)
}

fn holder(reactor: &Reactor) -> Holder {
    reactor.lock_watch().holder
}

/// A thread waits from `from_us` on, until `to_us`.
fn lead(reactor: &Reactor, from_us: u64, to_us: u64, is_bulk: bool) -> Holder {
    assert!(reactor.take_watch(at(from_us)).is_some());
    assert_eq!(holder(reactor), Holder::Leader);
    reactor.leave_watch(at(to_us), is_bulk);
    holder(reactor)
}

#[test]
fn a_thread_that_leaves_hands_the_device_to_the_engine_unless_it_will_be_back() {
    let (reactor, ..) = reactor();
    assert_eq!(lead(&reactor, 0, 500, false), Holder::Engine);
    assert_eq!(lead(&reactor, 1000, 1500, false), Holder::Engine, "it was away for long");
    assert_eq!(lead(&reactor, 1550, 1600, false), Holder::Nobody, "it was back soon");
    assert_eq!(lead(&reactor, 3000, 3100, true), Holder::Nobody, "it moves a bulk");
}

#[test]
fn the_engine_takes_a_device_that_nobody_waits_for_and_doubts_for_a_while() {
    let (reactor, ..) = reactor();
    assert_eq!(lead(&reactor, 0, 10, true), Holder::Nobody);
    assert!(!reactor.lock_watch().is_engine_resting, "it was kicked");
    assert_ne!(reactor.timeout(at(20)), EpollTimeout::NONE, "somebody has to look after it");
    assert_eq!(holder(&reactor), Holder::Nobody);
    assert_eq!(reactor.timeout(at(1010)), EpollTimeout::NONE);
    assert_eq!(holder(&reactor), Holder::Engine);
    let mut now_us = 2000;
    for _ in 0..DOUBTS {
        assert_eq!(lead(&reactor, now_us, now_us + 1, false), Holder::Engine);
        now_us += 2;
    }
    assert_eq!(lead(&reactor, now_us, now_us + 1, false), Holder::Nobody);
}

#[test]
fn an_engine_that_rests_is_woken_when_the_device_is_left_to_nobody() {
    let (reactor, ..) = reactor();
    assert_eq!(reactor.timeout(at(0)), EpollTimeout::NONE);
    assert!(reactor.borrow_watch(at(5)));
    let mut events = [EpollEvent::empty(); 4];
    assert_eq!(reactor.epoll.wait(&mut events, EpollTimeout::ZERO), Ok(1));
    assert_eq!(events[0].data(), KICK);
    // It sleeps no longer than the grace while a leader is young, and without an end behind one.
    assert!(reactor.take_watch(at(10)).is_some());
    assert!(!reactor.borrow_watch(at(11)), "another thread waits for it");
    assert_ne!(reactor.timeout(at(20)), EpollTimeout::NONE);
    assert_eq!(reactor.timeout(at(1010)), EpollTimeout::NONE);
    assert_eq!(holder(&reactor), Holder::Leader);
}

#[test]
fn a_bulk_of_a_call_that_never_waits_leaves_the_device_with_the_engine() {
    let directory = tempfile::tempdir().unwrap();
    let open = |addr| Stack::open(&format!("unix:{}?addr={addr}", directory.path().display()));
    let (alice, bob) = (open("10.7.0.1/24").unwrap(), open("10.7.0.2/24").unwrap());
    let listener = TcpListener::bind(&bob, "10.7.0.2:0").unwrap();
    let client = TcpStream::connect(&alice, listener.local_addr().unwrap()).unwrap();
    let reactor = &alice.shared().reactor;
    // connect() may have been believed to be back soon.
    while holder(reactor) != Holder::Engine {
        std::thread::yield_now();
    }
    let flags = Flags { dont_wait: true, ..Flags::default() };
    assert_eq!(client.as_socket().send(&[1; 40_000], flags), Ok(40_000));
    assert_eq!(holder(reactor), Holder::Engine);
}
