use std::net::IpAddr;

use bytes::Bytes;
use proptest::prelude::*;

use crate::wire::packet::Transmit;
use crate::wire::tcp::{self, Flags};
use crate::wire::tcp_options::Options;
use crate::wire::{icmp, ip};

fn ends(v6: bool) -> (IpAddr, IpAddr) {
    match v6 {
        true => ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap()),
        false => ([10, 0, 0, 1].into(), [10, 0, 0, 2].into()),
    }
}

/// The packets as they are written out.
fn written(transmit: &Transmit) -> Vec<Vec<u8>> {
    let (mut packets, mut written) = (transmit.packets(), Vec::new());
    while let Some(len) = packets.next_len() {
        let mut room = vec![0xee; len];
        packets.write(&mut room);
        written.push(room);
    }
    written
}

/// The packets as they are shared, each put into one piece.
fn shared(transmit: &Transmit) -> Vec<Vec<u8>> {
    let mut shared = Vec::new();
    transmit.clone().segments(|segment| shared.push(segment.to_bytes()));
    shared
}

#[test]
fn a_packet_that_is_complete_is_written_as_it_is() {
    let echo = icmp::echo_reply(ends(true).0, ends(true).1, &[7; 200]);
    assert_eq!(written(&Transmit::complete(echo.clone(), None)), [echo]);
}

proptest! {
    #[test]
    fn packets_are_written_as_they_are_shared(
        v6: bool, len in 0usize..9000, gso_size in 1u16..3000, flags: u8, may_be_cut: bool,
        cuts in prop::collection::vec(any::<usize>(), 0..4),
    ) {
        let text = Bytes::from((0..len).map(|at| (at * 31 + at / 251) as u8).collect::<Vec<u8>>());
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (len + 1)).collect();
        cuts.extend([0, len]);
        cuts.sort_unstable();
        let payload = cuts.windows(2).map(|pair| text.slice(pair[0]..pair[1])).collect();
        let (src, dst) = ends(v6);
        let identification = (may_be_cut && !v6).then_some(0xfffe);
        let ip = ip::Header::new(src, dst, ip::PROTOCOL_TCP, 64, 2);
        let header = tcp::Header {
            seq: 0xffff_ff00,
            flags: Flags(flags.into()),
            options: Options { timestamps: Some((1, 2)), ..Options::default() },
            ..tcp::Header::default()
        };
        let gso_size = gso_size.max(len.div_ceil(100) as u16);
        let transmit =
            Transmit::tcp(ip::Header { identification, ..ip }, &header, payload, gso_size, None);
        prop_assert_eq!(written(&transmit), shared(&transmit));
    }
}
