//! What is written is read back, and everything else is named with its line.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use super::*;
use crate::event::{
    ConnectionName, EventLog, Kind, Reason, ReceiveBufferView, RecoveryView, RepairState,
    SegmentRecord, SendBufferView, Snapshot, Source, TimerName,
};
use crate::tcp::State;
use crate::time::Instant;

/// A file that the test can look into while the log still holds it.
#[derive(Clone, Default)]
struct SharedFile(Arc<Mutex<Vec<u8>>>);

impl SharedFile {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl Write for SharedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn header() -> Header {
    Header {
        host: "10.7.0.2".to_owned(),
        url: "unix:?addr=10.7.0.2/24".to_owned(),
        unix_epoch_ns: 1_700_000_000_000_000_000,
    }
}

fn syn() -> Kind {
    Kind::SegmentSent(SegmentRecord {
        src_port: 49152,
        dst_port: 8080,
        seq: 2_891_336_453,
        ack: 0,
        relative_seq: Some(0),
        relative_ack: None,
        flags: "SYN".to_owned(),
        window: 64240,
        window_bytes: 64240,
        urgent: 0,
        len: 0,
        segments: 1,
        header: "c0001f90".to_owned(),
        payload: String::new(),
        payload_sum: Some(0),
        retransmission: false,
    })
}

fn snapshot() -> Snapshot {
    Snapshot {
        state: State::FinWait2,
        iss: (1 << 32) + 7,
        ssthresh: u64::MAX,
        srtt_ns: Some(1_000_000),
        recovery: RecoveryView {
            state: RepairState::Recovery,
            sacked: vec![(1 << 32, (1 << 32) + 1000)],
            lost: vec![(9, 10)],
            retransmitted: vec![(10, 11)],
            has_more: true,
            rttvar_ns: Some(500_000),
            pacing_bytes_per_s: Some(1_000_000),
        },
        timers: vec![(TimerName::TimeWait, 60_000_000_000)],
        send_buffer: SendBufferView { capacity: 65_536, unacked: 1, unsent: 2 },
        receive_buffer: ReceiveBufferView {
            capacity: 65_536,
            queued: 3,
            out_of_order: vec![(1 << 32, (1 << 32) + 9)],
        },
        ..Snapshot::default()
    }
}

fn every_kind() -> Vec<Kind> {
    let name = || "connect".to_owned();
    vec![
        syn(),
        Kind::PacketDropped { counter: "checksum".to_owned(), len: 60 },
        Kind::StateChanged { from: State::Closed, to: State::SynSent },
        Kind::TimerArmed { timer: TimerName::Retransmission, deadline_ns: 1 },
        Kind::TimerStopped { timer: TimerName::DelayedAck },
        Kind::TimerFired { timer: TimerName::Persist },
        Kind::RttMeasured { rtt_ns: 31_000 },
        Kind::CongestionChanged { phase: "slow_start".to_owned() },
        Kind::CallEntered {
            call: 1,
            name: name(),
            arguments: "3, 10.7.0.1:8080".to_owned(),
            source: Some(Source { file: "client.c".into(), line: 12 }),
        },
        Kind::CallBlocked { call: 1, name: name() },
        Kind::CallReturned { call: 1, name: name(), result: "0".to_owned() },
    ]
}

/// A log over `file` that has recorded `kinds`, still open.
fn log_of(file: &SharedFile, kinds: Vec<Kind>) -> EventLog {
    let lines = JsonLines::new(file.clone(), &header()).unwrap();
    let mut log = EventLog::new("10.7.0.2", Box::new(lines));
    let name = ConnectionName {
        id: 1,
        local: "10.7.0.2:49152".parse().unwrap(),
        remote: Some("[2001:db8::1]:80".parse().unwrap()),
    };
    for kind in kinds {
        let cause = log.record(
            Instant::from_micros(5),
            Some(name),
            kind,
            Some(Reason::ActiveOpen),
            Some(Box::new(snapshot())),
        );
        log.set_cause(cause);
    }
    log
}

#[test]
fn every_event_is_in_the_file_the_moment_it_is_recorded_and_reads_back_equal() {
    let file = SharedFile::default();
    let log = log_of(&file, every_kind());
    let recording = read(file.bytes().as_slice()).unwrap();
    assert_eq!(recording.header, header());
    assert_eq!(recording.cut_short, None);
    let kinds: Vec<Kind> = recording.events.iter().map(|event| event.kind.clone()).collect();
    assert_eq!(kinds, every_kind());
    assert_eq!(recording.events[1].cause, Some(0));
    assert_eq!(recording.events[0].reason, Some(Reason::ActiveOpen));
    assert_eq!(recording.events[0].after.as_deref(), Some(&snapshot()));
    drop(log);
}

#[test]
fn the_first_line_names_format_and_version() {
    let file = SharedFile::default();
    drop(log_of(&file, Vec::new()));
    let text = String::from_utf8(file.bytes()).unwrap();
    assert_eq!(
        text,
        "{\"format\":\"tcpstack-events\",\"version\":1,\"host\":\"10.7.0.2\",\
         \"url\":\"unix:?addr=10.7.0.2/24\",\"unix_epoch_ns\":1700000000000000000}\n"
    );
}

#[test]
fn a_file_cut_anywhere_after_its_header_loses_the_cut_event_and_no_other() {
    let file = SharedFile::default();
    drop(log_of(&file, every_kind()));
    let bytes = file.bytes();
    let header_len = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in header_len..bytes.len() {
        let whole_lines = bytes[header_len..cut].iter().filter(|byte| **byte == b'\n').count();
        let recording = read(&bytes[..cut]).unwrap();
        // A line that lacks nothing but its newline is whole.
        let whole_events = whole_lines + usize::from(bytes[cut] == b'\n');
        assert_eq!(recording.events.len(), whole_events, "cut at {cut}");
        let mid_line = bytes[cut - 1] != b'\n' && bytes[cut] != b'\n';
        assert_eq!(recording.cut_short, mid_line.then_some(whole_lines + 2), "cut at {cut}");
    }
}

#[test]
fn a_bad_line_in_the_middle_is_an_error_that_names_it() {
    let file = SharedFile::default();
    drop(log_of(&file, every_kind()));
    let text = String::from_utf8(file.bytes()).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[3] = "{\"index\":1}";
    let error = read(lines.join("\n").as_bytes()).unwrap_err();
    assert!(matches!(error, ReadError::Event { line: 4, .. }), "{error}");
    assert!(error.to_string().starts_with("line 4 is no event (missing field"), "{error}");
}

#[test]
fn what_is_no_recording_is_refused_with_what_would_be_right() {
    let cases = [
        ("", "the file is empty; its first line should be a `tcpstack-events` header"),
        ("pcapng\n", "line 1 is no `tcpstack-events` header"),
        (
            "{\"format\":\"x\",\"version\":1,\"host\":\"h\",\"url\":\"u\",\"unix_epoch_ns\":0}\n",
            "line 1: the format is `x`, expected `tcpstack-events`",
        ),
        (
            "{\"format\":\"tcpstack-events\",\"version\":2,\"host\":\"h\",\"url\":\"u\",\
             \"unix_epoch_ns\":0}\n",
            "line 1: version 2 of the format; this program reads version 1",
        ),
    ];
    for (text, message) in cases {
        let error = read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(message), "{text:?}: {error}");
    }
}

#[test]
fn a_line_without_end_is_refused_before_it_fills_the_memory() {
    let endless = io::BufReader::new(io::repeat(b'['));
    assert!(matches!(read(endless), Err(ReadError::TooLong { line: 1 })));
}

/// A disk with room for `left` more bytes.
struct FullDisk {
    left: usize,
    file: SharedFile,
}

impl Write for FullDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = bytes.len().min(self.left);
        if len == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.left -= len;
        self.file.write(&bytes[..len])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_ends_the_writing_keeps_the_error_and_leaves_a_readable_file() {
    let file = SharedFile::default();
    let disk = FullDisk { left: 1500, file: file.clone() };
    let lines = JsonLines::new(disk, &header()).unwrap();
    let failure = lines.failure();
    assert!(failure.get().is_none());
    let mut log = EventLog::new("10.7.0.2", Box::new(lines));
    for _ in 0..10 {
        log.record(Instant::ZERO, None, syn(), None, None);
    }
    assert_eq!(failure.get().unwrap().kind(), io::ErrorKind::StorageFull);
    let recording = read(file.bytes().as_slice()).unwrap();
    assert!((1..10).contains(&recording.events.len()));
    assert_eq!(recording.cut_short, Some(recording.events.len() + 2));
}

#[test]
fn the_sliding_window_stands_in_the_file_under_the_names_of_the_documentation() {
    let json = serde_json::to_value(snapshot().recovery).unwrap();
    let expected = serde_json::json!({
        "state": "recovery",
        "sacked": [[4_294_967_296_u64, 4_294_968_296_u64]],
        "lost": [[9, 10]],
        "retransmitted": [[10, 11]],
        "has_more": true,
        "rttvar_ns": 500_000,
        "pacing_bytes_per_s": 1_000_000,
    });
    assert_eq!(json, expected);
}

#[test]
fn a_snapshot_from_before_there_were_views_of_the_repair_is_still_read() {
    let mut json = serde_json::to_value(snapshot()).unwrap();
    json.as_object_mut().unwrap().remove("recovery");
    let read: Snapshot = serde_json::from_value(json).unwrap();
    assert_eq!(read, Snapshot { recovery: RecoveryView::default(), ..snapshot() });
}
