//! Paths that swallow large packets in silence (RFC 4821 §4), and how the MTU is found all the same.

mod host_pair;

use std::collections::VecDeque;
use std::time::Duration;

use host_pair::{Pair, read, seconds, unverified};
use tcpstack::host::{OptionName, SocketId, SocketOption};
use tcpstack::tcp::State;
use tcpstack::time::Instant;

/// One way across the path: far enough for a window's worth of segments to be under way.
const DELAY: Duration = Duration::from_millis(5);

/// A connection over a path that loses every packet of more than `mtu` bytes.
struct BlackHole {
    pair: Pair,
    socket: SocketId,
    child: SocketId,
    mtu: usize,
    /// When each packet arrives, whether at the server, and what it is.
    wire: VecDeque<(Instant, bool, Vec<u8>)>,
    largest_lost: usize,
}

impl BlackHole {
    fn new(probing: &str, mtu: usize) -> BlackHole {
        let mut pair = Pair::with(|config| {
            config.knobs.set("tcp_mtu_probing", probing).unwrap();
            config.knobs.set("tcp_timestamps", "0").unwrap();
        });
        let listener = pair.listen(80, 8);
        let (socket, child) = pair.connected(listener);
        BlackHole { pair, socket, child, mtu, wire: VecDeque::new(), largest_lost: 0 }
    }

    /// Everything that both have to send goes on its way.
    fn take_departures(&mut self) {
        for is_client in [true, false] {
            let host = if is_client { &mut self.pair.client } else { &mut self.pair.server };
            while let Some(packet) = host.poll_transmit(self.pair.now) {
                let bytes = packet.to_bytes();
                if bytes.len() <= self.mtu {
                    self.wire.push_back((self.pair.now + DELAY, is_client, bytes));
                } else {
                    self.largest_lost = self.largest_lost.max(bytes.len());
                }
            }
            host.check();
        }
    }

    /// Lets time pass.
    fn pass(&mut self, duration: Duration) {
        let end = self.pair.now + duration;
        loop {
            self.take_departures();
            let arrival = self.wire.front().map(|(at, ..)| *at);
            let timers = [self.pair.client.next_deadline(), self.pair.server.next_deadline()];
            let next = timers.into_iter().chain([arrival]).flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.pair.now = next;
            while let Some((_, to_server, bytes)) = self.wire.pop_front_if(|(at, ..)| *at <= next) {
                let host = if to_server { &mut self.pair.server } else { &mut self.pair.client };
                host.handle_frame(next, unverified(bytes));
            }
            self.pair.client.handle_timers(next);
            self.pair.server.handle_timers(next);
        }
        self.pair.now = end;
    }

    /// Sends a megabyte, reading what arrives, for two minutes at most; how much did.
    fn carry(&mut self) -> usize {
        let data: Vec<u8> = (0..1_000_000_u32).map(|n| (n >> 3) as u8).collect();
        let (mut sent, mut received) = (0, Vec::new());
        for _ in 0..1200 {
            let now = self.pair.now;
            sent += self.pair.client.send(now, self.socket, &data[sent..]).unwrap_or(0);
            self.pass(Duration::from_millis(100));
            received.extend(read(&mut self.pair.server, self.pair.now, self.child));
            if received.len() == data.len() {
                break;
            }
        }
        assert!(received == data[..received.len()], "bytes are damaged or out of order");
        received.len()
    }

    /// The packet that a whole segment makes, in bytes.
    fn packet_size(&self) -> usize {
        match self.pair.client.option(self.socket, OptionName::MaxSegment) {
            Ok(SocketOption::MaxSegment(size)) => 40 + usize::from(size),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn without_probing_a_black_hole_ends_the_connection() {
    let mut path = BlackHole::new("0", 1200);
    assert_eq!(path.carry(), 0);
    path.pass(seconds(1000));
    assert_eq!(path.pair.client.state(path.socket), Ok(State::Closed));
}

// RFC 4821 §7.7, §7.3, §7.6.2: down to a size that passes, and up again by bisection. It begins at R1
// (RFC 9293 §3.8.3, SHLD-10).
#[test]
fn a_black_hole_is_found_and_then_the_largest_packet_that_passes() {
    for mtu in [1100, 1200, 1492] {
        let mut path = BlackHole::new("1", mtu);
        // After a probe that was lost the next one waits (§7.6.2).
        for _ in 0..3 {
            assert_eq!(path.carry(), 1_000_000);
        }
        let size = path.packet_size();
        assert!((mtu - 8..=mtu).contains(&size), "found {size} of {mtu}");
    }
}

// RFC 4821 §7.7: what passes may be far less than the size that the search starts with.
#[test]
fn a_path_narrower_than_the_base_is_found_by_halving() {
    let mut path = BlackHole::new("1", 340);
    assert_eq!(path.carry(), 1_000_000);
    assert!(path.packet_size() <= 340);
}

// RFC 4821 §7.2.
#[test]
fn a_connection_may_search_from_the_start_and_loses_nothing_on_a_wide_path() {
    let mut path = BlackHole::new("2", 1500);
    assert_eq!(path.carry(), 1_000_000);
    assert!(path.packet_size() > 1500 - 8);
    assert_eq!(path.largest_lost, 0);
}

// RFC 4821 §7.7: the path may have become wider.
#[test]
fn the_whole_range_is_searched_anew_after_ten_minutes() {
    let mut path = BlackHole::new("1", 1200);
    assert_eq!(path.carry(), 1_000_000);
    path.mtu = 1500;
    assert_eq!(path.carry(), 1_000_000);
    assert!(path.packet_size() <= 1200);
    path.pass(seconds(600));
    assert_eq!(path.carry(), 1_000_000);
    let size = path.packet_size();
    assert!(size > 1500 - 8, "still {size}");
}
