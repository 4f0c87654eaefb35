//! Long recordings: what their index says is what reading everything says, for less work.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tcpstack::event::json::{Header, JsonLines, read};
use tcpstack::event::{Event, Kind, Observer};
use tcpstack::sim::World;
use tcpstack_lab::recording::log::{Log, LogError};
use tcpstack_lab::recording::{Source, run};
use tcpstack_lab::run::{Fate, Role};

const HOSTS: [&str; 2] = ["client", "server"];

/// A transfer over a link that loses packets, as its hosts would have written it.
fn transfer(bytes: usize) -> Vec<Event> {
    let mut world = World::new(7);
    let client = world.add_host("client", ["10.0.0.2".parse().unwrap()]);
    let server = world.add_host("server", ["10.0.0.1".parse().unwrap()]);
    let link = world.link(client, server, Duration::from_millis(10));
    let lossy = tcpstack::device::impairment::Impairment { loss: 0.01, ..Default::default() };
    world.set_impairment(link, client, lossy);
    world.start_recording();
    let listener = world.listen(server, "10.0.0.1:80".parse().unwrap(), 8).unwrap();
    let socket = world.connect(client, "10.0.0.1:80".parse().unwrap()).unwrap();
    let (mut sent, mut received, mut peer) = (0, 0, None);
    let data = vec![7; 16_384];
    let done = world.drive(Duration::from_secs(600), |world| {
        peer = peer.or_else(|| world.accept(listener).ok());
        while sent < bytes {
            match world.send(socket, &data[..data.len().min(bytes - sent)]) {
                Ok(len) => sent += len,
                Err(_) => break,
            }
        }
        while let Some(Ok(data)) = peer.map(|peer| world.recv(peer, 65_536)) {
            received += data.len();
            if data.is_empty() {
                break;
            }
        }
        received >= bytes
    });
    assert!(done, "{received} of {bytes} bytes");
    world.events().to_vec()
}

/// Writes each host's events to a file of its own.
fn write(dir: &Path, events: &[Event]) -> Vec<PathBuf> {
    let file = |host: &&str| {
        let path = dir.join(format!("{host}.jsonl"));
        let header = Header { host: (*host).to_owned(), url: "unix:".to_owned(), unix_epoch_ns: 0 };
        let mut lines = JsonLines::new(fs::File::create(&path).unwrap(), &header).unwrap();
        events.iter().filter(|event| *event.host == **host).for_each(|event| lines.event(event));
        path
    };
    HOSTS.iter().map(file).collect()
}

fn read_all(paths: &[PathBuf]) -> Vec<Source> {
    let source = |path: &PathBuf| Source {
        name: path.display().to_string(),
        recording: read(fs::read(path).unwrap().as_slice()).unwrap(),
    };
    paths.iter().map(source).collect()
}

#[test]
fn windows_in_a_row_are_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let paths = write(dir.path(), &transfer(300_000));
    let whole = run(&read_all(&paths), false);
    let log = Log::open(&paths).unwrap();
    let total = whole.events.len() as u64;
    assert_eq!(log.events(), total);
    let mut events = Vec::new();
    for first in (0..total).step_by(100) {
        let window = log.window(first, Some(100)).unwrap();
        let told = window.window.unwrap();
        assert_eq!((told.first, told.total), (first, total));
        assert_eq!(window.events.len() as u64, 100.min(total - first));
        assert_eq!(window.hosts.len(), 2);
        assert_eq!(window.hosts[0].role, Role::Client, "at {first}");
        events.extend(window.events);
    }
    let key = |event: &Event| (event.time_ns, event.host.clone(), event.index);
    let sorted = |events: &[Event]| {
        let mut keys: Vec<_> = events.iter().map(key).collect();
        keys.sort();
        keys
    };
    assert_eq!(sorted(&events), sorted(&whole.events));
    assert!(events.is_sorted_by_key(|event| event.time_ns));
}

#[test]
fn a_window_calls_nothing_lost_or_doubled_that_crosses_its_edge() {
    let dir = tempfile::tempdir().unwrap();
    let paths = write(dir.path(), &transfer(300_000));
    let whole = run(&read_all(&paths), false);
    let log = Log::open(&paths).unwrap();
    let count = |fate| whole.flights.iter().filter(|flight| flight.fate == fate).count();
    assert!(count(Fate::Lost) > 0, "the link loses packets");
    for first in (0..log.events()).step_by(100) {
        for flight in log.window(first, Some(100)).unwrap().flights {
            assert!(flight.received.is_none() || flight.fate != Fate::Underway, "{flight:?}");
            let is_same = whole.flights.iter().any(|other| {
                let same_sending = flight.sent_ns.is_none() || other.sent_ns == flight.sent_ns;
                let same_arrival =
                    flight.received_ns.is_none() || other.received_ns == flight.received_ns;
                let known = flight.fate != Fate::Underway;
                same_sending && same_arrival && (!known || other.fate == flight.fate)
            });
            assert!(is_same, "at {first}: {flight:?}");
        }
    }
}

#[test]
fn a_short_recording_comes_whole() {
    let dir = tempfile::tempdir().unwrap();
    let paths = write(dir.path(), &transfer(5_000));
    let log = Log::open(&paths).unwrap();
    let window = log.window(0, None).unwrap();
    assert_eq!(window.window, None);
    assert_eq!(window.events, run(&read_all(&paths), false).events);
}

/// Sums over all pixels: events before the last pixel's end, and marks.
fn sums(log: &Log, from_ns: u64, until_ns: u64, pixels: u64) -> [u64; 3] {
    let overview = log.overview(from_ns, until_ns, pixels).unwrap();
    assert_eq!(overview.first.len() as u64, overview.pixels);
    assert!(overview.first.is_sorted());
    overview.marks.iter().fold([0; 3], |sums, marks| {
        [sums[0] + marks.retransmissions, sums[1] + marks.losses, sums[2] + marks.drops]
    })
}

#[test]
fn an_overview_loses_no_retransmission_at_any_magnification() {
    let dir = tempfile::tempdir().unwrap();
    let events = transfer(2_000_000);
    let paths = write(dir.path(), &events);
    let log = Log::open(&paths).unwrap();
    let again = |event: &&Event| matches!(&event.kind, Kind::SegmentSent(segment) if segment.retransmission);
    let all = events.iter().filter(again).count() as u64;
    assert!(all > 3, "{all} retransmissions");
    let end = log.until_ns();
    for pixels in [1, 7, 300, 4_000] {
        assert_eq!(sums(&log, 0, end, pixels)[0], all, "{pixels} pixels");
    }
    let halves =
        [(0, end / 2), (end / 2 + 1, end)].map(|(from, until)| sums(&log, from, until, 90)[0]);
    assert_eq!(halves.iter().sum::<u64>(), all);
}

#[test]
fn an_overview_has_the_least_and_the_greatest_of_every_pixel() {
    let dir = tempfile::tempdir().unwrap();
    let events = transfer(1_000_000);
    let paths = write(dir.path(), &events);
    let log = Log::open(&paths).unwrap();
    let overview = log.overview(0, log.until_ns(), 200).unwrap();
    let start = events.iter().map(|event| event.time_ns).min().unwrap();
    let series = overview.series.iter().find(|series| series.host == "client").unwrap();
    let mut seen = vec![None; 200];
    let span = u128::from(overview.until_ns - overview.from_ns) + 1;
    for event in events.iter().filter(|event| *event.host == *"client") {
        let Some(after) = &event.after else { continue };
        let pixel = (u128::from(event.time_ns - start) * 200 / span) as usize;
        let (least, greatest) = seen[pixel].unwrap_or((u64::MAX, 0));
        seen[pixel] = Some((after.cwnd.min(least), after.cwnd.max(greatest)));
    }
    assert_eq!(series.cwnd, seen);
    let last = series.seq.iter().flatten().last().unwrap().1;
    assert_eq!(last, 1_000_001, "the SYN and every byte");
}

#[test]
fn a_file_is_read_once_and_only_what_is_new_of_it_when_it_has_grown() {
    let dir = tempfile::tempdir().unwrap();
    let paths = write(dir.path(), &transfer(1_000_000));
    let open = || Log::open_keeping(&paths, 1_000_000).unwrap();
    let len: u64 = paths.iter().map(|path| path.metadata().unwrap().len()).sum();
    let cold = open();
    let lines = cold.events();
    assert_eq!(cold.work().lines, lines);
    let overlap = cold.work().bytes as f64 / len as f64;
    assert!(overlap <= 1.01, "{overlap} times the files were read");
    let warm = open();
    let kept: Vec<&PathBuf> =
        paths.iter().filter(|path| path.with_added_extension("idx").exists()).collect();
    assert!(!kept.is_empty());
    let unkept: u64 = lines_of(&paths, &kept);
    assert_eq!(warm.work().lines, unkept);
    assert_eq!(warm.overview(0, u64::MAX, 500).unwrap(), cold.overview(0, u64::MAX, 500).unwrap());
    let grown = kept[0].clone();
    append(&grown, &last_line(&grown));
    let again = open();
    assert_eq!(again.work().lines, unkept + 1);
    assert_eq!(again.events(), lines + 1);
}

/// The events of the files that have no index beside them.
fn lines_of(paths: &[PathBuf], kept: &[&PathBuf]) -> u64 {
    let unkept = paths.iter().filter(|path| !kept.contains(path));
    unkept.map(|path| fs::read_to_string(path).unwrap().lines().count() as u64 - 1).sum()
}

fn last_line(path: &Path) -> String {
    fs::read_to_string(path).unwrap().lines().last().unwrap().to_owned() + "\n"
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn an_index_of_another_file_or_no_index_at_all_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let paths = write(dir.path(), &transfer(1_000_000));
    let open = |paths: &[PathBuf]| Log::open_keeping(paths, 1_000_000).unwrap();
    let first = open(&paths).overview(0, u64::MAX, 100).unwrap();
    let kept = paths.iter().map(|path| path.with_added_extension("idx"));
    let index = kept.clone().find(|path| path.exists()).unwrap();
    let good = fs::read(&index).unwrap();
    for bad in [&b"garbage"[..], &[], &good[..good.len() / 2], &[0xff; 100]] {
        fs::write(&index, bad).unwrap();
        assert_eq!(open(&paths).overview(0, u64::MAX, 100).unwrap(), first);
    }
    // The same length, written anew: it may be another recording.
    let file = index.with_extension("");
    let text = fs::read(&file).unwrap();
    fs::write(&file, &text).unwrap();
    assert!(open(std::slice::from_ref(&file)).work().lines > 0);
}

#[test]
fn what_is_written_while_it_is_open_is_seen_and_a_line_that_is_not_whole_waits() {
    let dir = tempfile::tempdir().unwrap();
    let paths = write(dir.path(), &transfer(5_000));
    let mut log = Log::open(&paths).unwrap();
    let before = log.events();
    let line = last_line(&paths[0]);
    let (begin, end) = line.split_at(line.len() / 2);
    append(&paths[0], begin);
    assert!(!log.refresh().unwrap());
    assert_eq!(Log::open(&paths).unwrap().events(), before);
    append(&paths[0], end);
    assert!(log.refresh().unwrap());
    assert_eq!(log.events(), before + 1);
}

#[test]
fn a_recording_that_was_begun_anew_is_read_anew() {
    let dir = tempfile::tempdir().unwrap();
    let paths = write(dir.path(), &transfer(5_000));
    let mut log = Log::open(&paths).unwrap();
    let before = log.events();
    write(dir.path(), &transfer(2_000));
    assert!(log.refresh().unwrap());
    assert!(log.events() < before);
    assert_eq!(log.window(0, None).unwrap().events, run(&read_all(&paths), false).events);
}

#[test]
fn a_line_of_garbage_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let paths = write(dir.path(), &transfer(5_000));
    let lines = fs::read_to_string(&paths[0]).unwrap().lines().count();
    append(&paths[0], "garbage\n");
    let Err(error) = Log::open(&paths) else { panic!("garbage was taken") };
    assert!(matches!(error, LogError::Read { .. }), "{error}");
    let error = error.to_string();
    assert!(error.contains(&format!("line {} is no event", lines + 1)), "{error}");
    assert!(error.contains("client.jsonl"), "{error}");
}

#[test]
fn a_file_that_is_no_recording_is_refused_as_show_refuses_it() {
    let dir = tempfile::tempdir().unwrap();
    for (text, wrong) in [("", "empty"), ("garbage\n", "header"), ("{}\n", "header")] {
        let path = dir.path().join("file.jsonl");
        fs::write(&path, text).unwrap();
        let Err(error) = Log::open(&[path]) else { panic!("{text:?} was taken") };
        let error = error.to_string();
        assert!(error.contains("file.jsonl") && error.contains(wrong), "{error}");
    }
}
