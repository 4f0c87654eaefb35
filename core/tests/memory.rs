//! What an idle connection costs, counted by the allocator of this test binary.

mod host_pair;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use host_pair::{Pair, SERVER, at, read, seconds};
use tcpstack::host::{Domain, Error, Host, SocketId};
use tcpstack::time::Instant;

/// The system's allocator, which counts the bytes that are out.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code)]
// SAFETY: every call is passed on to the system's allocator as it came; the counter changes nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps `alloc`'s contract, which is the system's too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `pointer` came from `alloc` above with this layout, hence from the system.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Just past a power of two: the tables have just doubled, so this is their worst.
const CONNECTIONS: usize = 1030;

/// The most that an idle established connection may take, in bytes, at each end.
const LIMIT: usize = 1024;

fn live() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// Connects so many times; the ends go to `ends`.
fn connect_all(pair: &mut Pair, listener: SocketId, ends: &mut Vec<(SocketId, SocketId)>) {
    for _ in 0..CONNECTIONS {
        let socket = pair.client.socket(Domain::V4);
        let begun = pair.client.connect(pair.now, socket, at(SERVER, 80));
        assert_eq!(begun, Err(Error::InProgress));
        exchange(&mut pair.client, &mut pair.server, pair.now);
        ends.push((socket, pair.server.accept(pair.now, listener).unwrap().0));
    }
}

/// Carries packets and hears of wakes until there are none, without keeping or checking anything.
fn exchange(client: &mut Host, server: &mut Host, now: Instant) {
    loop {
        let mut quiet = true;
        while let Some(packet) = client.poll_transmit(now) {
            server.handle_frame(now, packet.into_frame());
            quiet = false;
        }
        while let Some(packet) = server.poll_transmit(now) {
            client.handle_frame(now, packet.into_frame());
            quiet = false;
        }
        while client.poll_wake().is_some() || server.poll_wake().is_some() {}
        if quiet {
            return;
        }
    }
}

// One test: the counter is the whole process's.
#[test]
fn an_idle_connection_takes_at_most_a_kilobyte_at_each_end() {
    let mut pair = Pair::new();
    let listener = pair.listen(80, 16);
    let mut ends = Vec::with_capacity(CONNECTIONS);
    let before = live();
    connect_all(&mut pair, listener, &mut ends);
    let fresh = (live() - before) / (2 * CONNECTIONS);
    println!("{fresh} bytes for each end of a connection that has just opened");
    assert!(fresh <= LIMIT, "{fresh} bytes");

    let data = vec![1; 50_000];
    for (socket, child) in &ends {
        pair.client.send(pair.now, *socket, &data).unwrap();
        pair.server.send(pair.now, *child, &data).unwrap();
        for _ in 0..10 {
            exchange(&mut pair.client, &mut pair.server, pair.now);
            drop(read(&mut pair.server, pair.now, *child));
            drop(read(&mut pair.client, pair.now, *socket));
        }
    }
    pair.pass(seconds(10));
    drop(pair.take_sent());
    let used = (live() - before) / (2 * CONNECTIONS);
    println!("{used} bytes for each end after data both ways, all read");
    assert!(used <= LIMIT, "{used} bytes after use");
}
