//! 50 MB each way at once over a bad link, for 200 seeds: every byte arrives, in order, and both ends
//! close. Each byte that is read is compared with the one that was sent at that place.

use std::time::Duration;

use tcpstack::device::Impairment;
use tcpstack::host::{Error, Shutdown};
use tcpstack::sim::{Socket, World};
use tcpstack::tcp::State;

use super::seeds::for_each_seed;

const BYTES: usize = 50_000_000;
const SEEDS: u64 = 200;

/// No run may take longer than this, in virtual time.
const LIMIT: Duration = Duration::from_secs(4 * 3600);

const BAD: Impairment = Impairment {
    loss: 0.05,
    delay: Duration::from_millis(10),
    jitter: Duration::from_millis(2),
    reorder: 0.05,
    duplicate: 0.02,
    corrupt: 0.01,
    ..Impairment::NONE
};

#[test]
fn fifty_megabytes_each_way_over_a_bad_link_arrive_unharmed() {
    let data = noise(2 * BYTES);
    for_each_seed(SEEDS, |seed| exchange(seed, &data));
}

/// The same bytes in every run, without a pattern that a shifted copy would fit (xorshift64*).
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut words = std::iter::repeat_with(|| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    });
    let mut bytes: Vec<u8> = words.by_ref().take(len.div_ceil(8)).flatten().collect();
    bytes.truncate(len);
    bytes
}

/// One end: what it sends, what it expects, and how far it has come.
struct End<'a> {
    socket: Socket,
    sends: &'a [u8],
    expects: &'a [u8],
    at_end: bool,
}

impl End<'_> {
    /// Sends and reads as much as goes.
    fn act(&mut self, world: &mut World) {
        while !self.sends.is_empty() {
            match world.send(self.socket, self.sends) {
                Ok(taken) => self.sends = &self.sends[taken..],
                Err(Error::WouldBlock) => break,
                Err(error) => panic!("send: {error}"),
            }
            if self.sends.is_empty() {
                world.shutdown(self.socket, Shutdown::Write).expect("it is connected");
            }
        }
        while !self.at_end {
            let Socket { host, id } = self.socket;
            match world.with_host(host, |host, now| host.recv(now, id, usize::MAX, false)) {
                Ok(slices) if slices.is_empty() => self.at_end = true,
                Ok(slices) => slices.iter().for_each(|slice| self.compare(slice)),
                Err(Error::WouldBlock) => break,
                Err(error) => panic!("recv: {error}"),
            }
        }
    }

    fn compare(&mut self, read: &[u8]) {
        let (expected, rest) = self.expects.split_at_checked(read.len()).expect("too many bytes");
        let left = self.expects.len();
        assert!(
            read == expected,
            "a byte differs among the {} from {left} before the end",
            read.len()
        );
        self.expects = rest;
    }

    fn is_done(&self) -> bool {
        self.sends.is_empty() && self.at_end
    }
}

fn exchange(seed: u64, data: &[u8]) {
    let mut world = World::new(seed);
    let left = world.add_host("left", ["10.0.0.1".parse().unwrap()]);
    let right = world.add_host("right", ["10.0.0.2".parse().unwrap()]);
    world.link(left, right, BAD);

    let listener = world.listen(right, "10.0.0.2:80".parse().unwrap(), 1).unwrap();
    let client = world.connect(left, "10.0.0.2:80".parse().unwrap()).unwrap();
    let mut server = None;
    world.drive(LIMIT, |world| {
        server = world.accept(listener).ok();
        server.is_some()
    });
    let server = server.expect("the handshake succeeds");

    let (forth, back) = data.split_at(BYTES);
    let mut ends = [
        End { socket: client, sends: forth, expects: back, at_end: false },
        End { socket: server, sends: back, expects: forth, at_end: false },
    ];
    ends.iter_mut().for_each(|end| end.act(&mut world));
    let done = world.drive(LIMIT, |world| {
        for end in &mut ends {
            let mut is_awake = false;
            while world.poll_wake(end.socket.host).is_some() {
                is_awake = true;
            }
            if is_awake {
                end.act(world);
            }
        }
        ends.iter().all(End::is_done)
    });
    assert!(done, "not done after {LIMIT:?}: {:?}", ends.map(|end| end.expects.len()));
    assert!(ends.iter().all(|end| end.expects.is_empty()), "bytes are missing");

    world.run_for(Duration::from_secs(600));
    assert_eq!([client, server].map(|socket| world.state(socket)), [State::Closed; 2]);
}
