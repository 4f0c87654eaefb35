//! A connection that gets its segments merged does as one that gets them one by one.

use proptest::prelude::*;
use tcpstack::device::GSO_MAX_PAYLOAD;
use tcpstack::host::{Config, Domain, Host, SocketId};
use tcpstack::time::Instant;
use tcpstack::wire::coalesce::Coalescer;
use tcpstack::wire::packet::{Frame, Verification};
use tcpstack::wire::{ip, tcp};

const PORT: u16 = 80;

/// What happens to a packet on its way.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Lost,
    Twice,
    Late,
    Damaged,
}

/// A client that makes super-segments, and a server behind a wire that takes none.
struct World {
    client: Host,
    server: Host,
    sender: SocketId,
    receiver: SocketId,
    now: Instant,
    /// None: packets arrive one by one.
    coalescer: Option<Coalescer>,
}

/// The packets that a host has to send, cut.
fn packets(host: &mut Host, now: Instant) -> Vec<Vec<u8>> {
    let mut written = Vec::new();
    while let Some(transmit) = host.poll_transmit(now) {
        let mut packets = transmit.packets();
        while let Some(len) = packets.next_len() {
            let mut room = vec![0; len];
            packets.write(&mut room);
            written.push(room);
        }
    }
    written
}

fn frame(packet: &[u8]) -> Frame {
    let verification = Verification::Unverified;
    Frame::new(bytes::Bytes::copy_from_slice(packet), verification, 0)
}

impl World {
    fn new(coalescer: Option<Coalescer>) -> World {
        let now = Instant::from_micros(1_000_000);
        let host = |last: u8| {
            let mut config = Config::new([[10, 0, 0, last].into()], last.into());
            config.gso_max = GSO_MAX_PAYLOAD;
            // The first flight is a large one.
            config.knobs.set("tcp_initial_window", "100").unwrap();
            config.knobs.set("tcp_wmem", "4096 1000000 4000000").unwrap();
            Host::new(config, None)
        };
        let (mut client, mut server) = (host(1), host(2));
        let listener = server.socket(Domain::V4);
        server.bind(listener, ([10, 0, 0, 2], PORT).into()).unwrap();
        server.listen(now, listener, 1).unwrap();
        let sender = client.socket(Domain::V4);
        client.connect(now, sender, ([10, 0, 0, 2], PORT).into()).unwrap_err();
        for _ in 0..2 {
            packets(&mut client, now).iter().for_each(|p| server.handle_frame(now, frame(p)));
            packets(&mut server, now).iter().for_each(|p| client.handle_frame(now, frame(p)));
        }
        let (receiver, _) = server.accept(now, listener).unwrap();
        World { client, server, sender, receiver, now, coalescer }
    }

    /// All that the client has to say arrives, but for what the fates decide.
    fn there(&mut self, fates: &[(usize, Fate)]) {
        let mut packets = packets(&mut self.client, self.now);
        for (index, fate) in fates.iter().filter(|_| !packets.is_empty()).collect::<Vec<_>>() {
            let index = index % packets.len();
            match fate {
                Fate::Lost => packets[index].clear(),
                Fate::Twice => packets.insert(index, packets[index].clone()),
                Fate::Late => {
                    let late = packets.remove(index);
                    packets.push(late);
                }
                Fate::Damaged => {
                    if let Some(byte) = packets[index].last_mut() {
                        *byte ^= 1;
                    }
                }
            }
        }
        let mut frames = Vec::new();
        for packet in packets.iter().filter(|packet| !packet.is_empty()) {
            match &mut self.coalescer {
                Some(coalescer) => coalescer.push(packet, Verification::Unverified, &mut frames),
                None => frames.push(frame(packet)),
            }
        }
        if let Some(coalescer) = &mut self.coalescer {
            coalescer.flush(&mut frames);
        }
        frames.into_iter().for_each(|frame| self.server.handle_frame(self.now, frame));
    }

    fn read(&mut self) -> Vec<u8> {
        let slices = self.server.recv(self.now, self.receiver, usize::MAX, false);
        slices.unwrap_or_default().concat()
    }

    /// Goes on without further trouble until everything is there; the rest of the bytes.
    fn finish(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = self.read();
        for _ in 0..1000 {
            for packet in packets(&mut self.server, self.now) {
                self.client.handle_frame(self.now, frame(&packet));
            }
            self.there(&[]);
            bytes.extend(self.read());
            if bytes.len() == len {
                return bytes;
            }
            let timers = [self.client.next_timer(), self.server.next_timer()];
            self.now = timers.into_iter().flatten().min().unwrap().max(self.now);
            self.client.handle_timers(self.now);
            self.server.handle_timers(self.now);
        }
        panic!("{} of {len} bytes", bytes.len());
    }
}

/// What the last of these packets says to its receiver: SEG.ACK, SEG.WND, and how many SACK blocks.
fn last_word(packets: &[Vec<u8>]) -> Option<(u32, u16, usize)> {
    let packet = packets.last()?;
    let ip = ip::Header::parse(packet).unwrap();
    let (header, _) = tcp::Header::parse(&packet[ip.header_len..]).unwrap();
    Some((header.ack, header.window, header.options.sack.as_slice().len()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn merged_segments_leave_the_receiver_as_single_ones_do(
        writes in prop::collection::vec(1usize..40_000, 1..5),
        fates in prop::collection::vec((0usize..80, prop_oneof![
            Just(Fate::Lost), Just(Fate::Twice), Just(Fate::Late), Just(Fate::Damaged),
        ]), 0..6),
    ) {
        let mut worlds = [World::new(None), World::new(Some(Coalescer::default()))];
        let data: Vec<u8> = (0..writes.iter().sum()).map(|at: usize| (at * 31 + at / 251) as u8).collect();
        let mut taken = [0; 2];
        for (world, taken) in worlds.iter_mut().zip(&mut taken) {
            let mut rest = &data[..];
            for len in &writes {
                let count = world.client.send(world.now, world.sender, &rest[..*len]).unwrap_or(0);
                *taken += count;
                rest = &rest[count..];
                if count < *len {
                    break;
                }
            }
        }
        prop_assert_eq!(taken[0], taken[1]);
        worlds.iter_mut().for_each(|world| world.there(&fates));
        let [single, merged] = &mut worlds;
        // Right after the flight: the same bytes, and the same to say.
        let queues = |world: &mut World| world.server.queues(world.receiver).unwrap();
        prop_assert_eq!(queues(single), queues(merged));
        let mut words = Vec::new();
        for world in [&mut *single, &mut *merged] {
            let now = world.now;
            let said = packets(&mut world.server, now);
            words.push(last_word(&said));
            said.iter().for_each(|packet| world.client.handle_frame(now, frame(packet)));
        }
        prop_assert_eq!(words[0], words[1]);
        // And in the end every byte is there in both.
        let len = taken[0].min(data.len());
        prop_assert_eq!(single.finish(len), &data[..len]);
        prop_assert_eq!(merged.finish(len), &data[..len]);
        let state = |world: &World| world.server.connections().iter().map(|c| c.state).collect::<Vec<_>>();
        prop_assert_eq!(state(single), state(merged));
    }
}
