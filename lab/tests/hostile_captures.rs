//! Whatever a file holds that begins like a capture: reading it ends, nothing panics, and no more comes
//! out than went in.

use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use tcpstack_lab::capture;
use tcpstack_lab::story::{find_conversations, summarise, tell};

/// A capture of the kernel's.
fn capture_bytes(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/captures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Reads `bytes` and, if they are a capture, tells its first connection.
fn read(bytes: &[u8]) {
    let Ok(run) = capture::run("bytes", bytes) else { return };
    // A packet has a header of 16 bytes at least in any of the formats.
    assert!(run.events.len() <= bytes.len() / 16);
    assert_eq!(run.flights.len(), run.events.len());
    assert!(run.events.is_sorted_by_key(|event| event.time_ns));
    let hosts = run.hosts.len();
    assert!(run.flights.iter().all(|flight| flight.from < hosts && flight.to < hosts));
    let story = tell(&run, &find_conversations(&run.events), 1);
    summarise(&story);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bytes_changed_anywhere_in_a_capture(
        name in prop::sample::select(vec!["loss.pcapng", "loopback.pcap", "cooked2.pcap"]),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        len in any::<prop::sample::Index>(),
    ) {
        let mut bytes = capture_bytes(name);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let len = len.index(bytes.len()) + 1;
        read(&bytes[..len]);
        read(&bytes);
    }

    #[test]
    fn anything_behind_the_beginning_of_a_capture(
        name in prop::sample::select(vec!["loss.pcapng", "loopback.pcap"]),
        kept in 4_usize..200,
        garbage in vec(any::<u8>(), 0..400),
    ) {
        let beginning = capture_bytes(name);
        read(&[&beginning[..kept], &garbage].concat());
    }

    #[test]
    fn frames_of_anything_on_any_link(
        link in prop::sample::select(vec![0_u8, 1, 12, 101, 108, 113, 228, 229]),
        frames in vec(vec(any::<u8>(), 0..120), 0..8),
    ) {
        let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0];
        file.extend([link, 0, 0, 0]);
        for frame in frames {
            let len = (frame.len() as u32).to_le_bytes();
            file.extend([&[0; 8][..], &len, &len, &frame].concat());
        }
        read(&file);
    }
}
