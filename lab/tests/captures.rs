//! Captures of the kernel's TCP, as files and as drawings. `captures/make` captured them, and
//! `UPDATE_EXPECT=1 cargo test -p tcpstack-lab --test captures` rewrites the drawings: look at each
//! before committing it.

use std::fs::{self, File};
use std::path::PathBuf;

use expect_test::expect_file;
use tcpstack::event::{Kind, Language, SegmentRecord};
use tcpstack_lab::capture::{self, CaptureError};
use tcpstack_lab::diagram::{Options, diagram, legend};
use tcpstack_lab::open::{FileKind, OpenError, kind_of, open};
use tcpstack_lab::render::render;
use tcpstack_lab::run::{Fate, Origin, Role, Run, Text};
use tcpstack_lab::story::{condense, find_conversations, summarise, tell};

fn path(name: &str) -> PathBuf {
    PathBuf::from(format!("{}/tests/captures/{name}", env!("CARGO_MANIFEST_DIR")))
}

fn run(name: &str) -> Run {
    capture::run(name, File::open(path(name)).unwrap()).unwrap()
}

fn read(bytes: &[u8]) -> Result<Run, CaptureError> {
    capture::run("bytes", bytes)
}

fn remarks(run: &Run) -> &[Text] {
    match &run.origin {
        Origin::Captured { remarks, .. } => remarks,
        other => panic!("a capture expected, found {other:?}"),
    }
}

fn segments(run: &Run) -> Vec<SegmentRecord> {
    let segment = |event: &'_ tcpstack::event::Event| match &event.kind {
        Kind::SegmentSent(segment) => segment.clone(),
        other => panic!("an onlooker sees segments alone, not {other:?}"),
    };
    run.events.iter().map(segment).collect()
}

/// The drawing of the first connection, with the legend and the remarks.
fn draw(run: &Run, language: Language) -> String {
    let options = Options { width: 110, language, why: false, brief: false };
    let story = tell(run, &find_conversations(&run.events), 1);
    let summaries = summarise(&story);
    let drawing = diagram(&condense(story, false), &summaries, options);
    let mut rows = drawing.rows;
    rows.push(Vec::new());
    rows.extend(legend(&drawing.signs, options));
    let said: Vec<&str> = remarks(run).iter().map(|remark| remark.of(language)).collect();
    format!("{}\n{}\n", render(&rows, false), said.join("\n"))
}

fn expect(name: &str, drawing: &str) {
    expect_file![path(&format!("{name}.txt"))].assert_eq(drawing);
}

#[test]
fn a_connection_with_segments_sent_again() {
    expect("loss", &draw(&run("loss.pcapng"), Language::English));
}

#[test]
fn a_machine_that_talks_to_itself_with_long_segments() {
    expect("loopback", &draw(&run("loopback.pcap"), Language::English));
}

#[test]
fn ipv6_on_any_interface_in_chinese() {
    expect("cooked2", &draw(&run("cooked2.pcap"), Language::Chinese));
}

#[test]
fn a_refused_connection() {
    expect("cooked1", &draw(&run("cooked1.pcap"), Language::English));
}

#[test]
fn every_packet_is_one_event_of_its_sender_and_nothing_is_made_up() {
    for name in ["loss.pcapng", "loopback.pcap", "cooked1.pcap", "cooked2.pcap"] {
        let run = run(name);
        assert_eq!(run.flights.len(), segments(&run).len());
        assert!(run.flights.iter().enumerate().all(|(at, flight)| {
            flight.sent == Some(at) && flight.received.is_none() && flight.fate == Fate::Unwitnessed
        }));
        assert!(run.hosts.iter().all(|host| !host.recorded));
        let bare = |event: &tcpstack::event::Event| {
            event.cause.is_none() && event.reason.is_none() && event.after.is_none()
        };
        assert!(run.events.iter().all(bare));
        assert!(run.calls.is_empty() && run.limits.is_empty() && run.questions.is_empty());
        assert_eq!(run.events[0].time_ns, 0);
        let roles: Vec<Role> = run.hosts.iter().map(|host| host.role).collect();
        assert_eq!(roles, [Role::Client, Role::Server]);
    }
}

#[test]
fn what_was_seen_twice_is_sent_again() {
    let run = run("loss.pcapng");
    let again = segments(&run).into_iter().enumerate().filter(|(_, one)| one.retransmission);
    let numbers: Vec<usize> = again.map(|(at, _)| at + 1).collect();
    // As tshark says it of this file.
    assert_eq!(numbers, [11, 12, 19]);
}

#[test]
fn numbers_count_from_the_syn_and_windows_are_scaled() {
    let run = run("loss.pcapng");
    let segments = segments(&run);
    assert_eq!((segments[0].relative_seq, segments[0].relative_ack), (Some(0), None));
    assert_eq!((segments[1].relative_seq, segments[1].relative_ack), (Some(0), Some(1)));
    let last = segments.last().unwrap();
    assert_eq!((last.relative_seq, last.relative_ack), (Some(6002), Some(3074)));
    assert_eq!((segments[1].window_bytes, last.window_bytes), (65160, 64512));
}

#[test]
fn the_ends_of_a_machine_that_talks_to_itself_are_two_hosts() {
    let run = run("loopback.pcap");
    let names: Vec<&str> = run.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["127.0.0.1:50696", "127.0.0.1:8080"]);
    assert!(run.flights.iter().all(|flight| flight.from != flight.to));
}

#[test]
fn of_a_payload_that_was_cut_off_the_length_is_known() {
    let run = run("loopback.pcap");
    let longest = segments(&run).iter().map(|segment| segment.len).max();
    assert_eq!(longest, Some(62_491));
    assert!(remarks(&run).iter().any(|one| one.en.contains("cut short by the capturing program")));
}

#[test]
fn a_file_that_ends_inside_a_packet_is_shown_up_to_there() {
    let bytes = fs::read(path("loss.pcapng")).unwrap();
    let run = read(&bytes[..bytes.len() - 500]).unwrap();
    assert!(run.events.len() < 25);
    let last = remarks(&run).last().unwrap();
    assert!(last.en.starts_with("The file ends inside packet "), "{last:?}");
}

#[test]
fn every_beginning_of_a_file_is_read_or_refused() {
    for (name, step) in [("loss.pcapng", 61), ("cooked2.pcap", 3)] {
        let bytes = fs::read(path(name)).unwrap();
        for len in (0..bytes.len()).step_by(step) {
            // That it returns is what counts; a beginning can be an honest capture.
            let _ = read(&bytes[..len]);
        }
    }
}

#[test]
fn files_are_told_by_their_first_bytes() {
    for name in ["loss.pcapng", "loopback.pcap", "cooked1.pcap"] {
        assert_eq!(kind_of(&path(name)).unwrap(), FileKind::Capture);
    }
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("run.txt");
    let captured = run("cooked2.pcap");
    fs::write(&json, serde_json::to_string_pretty(&captured).unwrap()).unwrap();
    assert_eq!(kind_of(&json).unwrap(), FileKind::Run);
    assert_eq!(open(&[json]).unwrap().run, captured);
}

#[test]
fn a_capture_is_opened_alone() {
    let both = [path("loss.pcapng"), path("cooked2.pcap")];
    let error = open(&both).unwrap_err();
    assert!(matches!(error, OpenError::Alone { kind: "capture", .. }), "{error}");
}

#[test]
fn errors_name_the_file_and_the_packet_and_say_what_would_be_right() {
    let dir = tempfile::tempdir().unwrap();
    let broken = dir.path().join("broken.pcapng");
    let mut bytes = fs::read(path("loss.pcapng")).unwrap();
    // The second length of the last block, which repeats the first.
    let at = bytes.len() - 4;
    bytes[at] ^= 0xff;
    fs::write(&broken, &bytes).unwrap();
    let message = open(&[broken]).unwrap_err().to_string();
    assert!(message.contains("broken.pcapng: packet "), "{message}");
    assert!(message.contains(" at byte "), "{message}");
}
