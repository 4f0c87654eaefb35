//! A page that watches programs: what they write reaches it as they write, in the order in which it
//! happened, and it goes on where it was when it comes back.

mod browser;

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use browser::{Browser, open};
use serde_json::Value;
use tcpstack::event::json::{Header, JsonLines};
use tcpstack::event::{Event, Kind};
use tcpstack_lab::recording::follow::Follower;
use tcpstack_lab::run::Run;
use tcpstack_lab::server::{Live, Opened, Session};

fn event(host: &str, index: u64, time_ns: u64) -> Event {
    let kind = Kind::PacketDropped { counter: "checksum".into(), len: 40 };
    let host = host.into();
    Event { index, time_ns, host, connection: None, kind, cause: None, reason: None, after: None }
}

fn begin(path: &Path, host: &str) {
    let header = Header { host: host.to_owned(), url: "unix:".to_owned(), unix_epoch_ns: 0 };
    JsonLines::new(File::create(path).unwrap(), &header).unwrap();
}

fn write(path: &Path, event: &Event) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    writeln!(file, "{}", serde_json::to_string(event).unwrap()).unwrap();
}

fn times(run: &Run) -> Vec<u64> {
    run.events.iter().map(|event| event.time_ns).collect()
}

#[test]
fn what_is_read_late_from_one_file_is_still_shown_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
    let mut follower = Follower::new(&[a.clone(), b.clone()]);
    assert!(!follower.read().unwrap(), "the files are not there yet");
    begin(&a, "a");
    begin(&b, "b");
    write(&a, &event("a", 0, 100));
    write(&b, &event("b", 0, 130));
    follower.read().unwrap();
    assert_eq!(follower.shown(), 0, "something earlier may not be read yet");
    write(&a, &event("a", 1, 120));
    write(&b, &event("b", 1, 150));
    assert!(follower.read().unwrap());
    assert_eq!(times(&follower.run()), [0, 20, 30]);
    assert!(follower.read().unwrap(), "nothing came, so nothing is missing");
    assert_eq!(times(&follower.run()), [0, 20, 30, 50]);
    assert!(!follower.read().unwrap());
}

#[test]
fn a_line_that_is_not_whole_waits_for_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    begin(&path, "a");
    let line = serde_json::to_string(&event("a", 0, 1)).unwrap();
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    let mut follower = Follower::new(std::slice::from_ref(&path));
    file.write_all(&line.as_bytes()[..20]).unwrap();
    assert!(!follower.read().unwrap() && !follower.read().unwrap());
    writeln!(file, "{}", &line[20..]).unwrap();
    follower.read().unwrap();
    assert!(follower.read().unwrap());
    assert_eq!(follower.shown(), 1);
}

#[test]
fn a_program_that_begins_anew_is_shown_anew_and_garbage_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    begin(&path, "a");
    for index in 0..5 {
        write(&path, &event("a", index, index));
    }
    let mut follower = Follower::new(std::slice::from_ref(&path));
    follower.read().unwrap();
    follower.read().unwrap();
    assert_eq!(follower.shown(), 5);
    begin(&path, "a");
    assert!(follower.read().unwrap());
    assert_eq!(follower.shown(), 0);
    // A later beginning, and at once as long as it was before.
    let header = Header { host: "a".to_owned(), url: "unix:".to_owned(), unix_epoch_ns: 1 };
    JsonLines::new(File::create(&path).unwrap(), &header).unwrap();
    write(&path, &event("a", 0, 7));
    assert!(follower.read().unwrap());
    follower.read().unwrap();
    assert_eq!(follower.shown(), 1);
    begin(&path, "a");
    fs::write(&path, fs::read_to_string(&path).unwrap() + "garbage\n").unwrap();
    let error = follower.read().unwrap_err().to_string();
    assert!(error.contains("line 2 is no event"), "{error}");
}

/// A page that watches.
struct Watch(BufReader<TcpStream>);

/// A message of the stream.
struct Message {
    name: String,
    id: usize,
    data: Value,
}

impl Watch {
    fn from(browser: &Browser, known: Option<usize>) -> Watch {
        let request = browser.get("/api/live");
        let request = match known {
            Some(id) => request.header("Last-Event-ID", &id.to_string()),
            None => request,
        };
        let (answer, reader) = request.open();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "text/event-stream");
        assert_eq!(answer.header("content-encoding"), "", "compression would hold it back");
        Watch(reader)
    }

    /// The next message; its lines stand among the sizes of the chunks they come in.
    fn next(&mut self) -> Message {
        let mut message = Message { name: String::new(), id: 0, data: Value::Null };
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ends");
            match line.trim_end().split_once(": ") {
                Some(("event", name)) => message.name = name.to_owned(),
                Some(("id", id)) => message.id = id.parse().unwrap(),
                Some(("data", data)) => message.data = serde_json::from_str(data).unwrap(),
                _ if line == "\n" && !message.name.is_empty() => return message,
                _ => {}
            }
        }
    }
}

fn serve(paths: Vec<PathBuf>) -> Browser {
    open(0, Session::new(Opened::Live(Live::new(paths)), None)).unwrap()
}

#[test]
fn a_page_sees_what_is_written_and_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let browser = serve(vec![path.clone()]);
    let session = browser.get("/api/session").send().json();
    assert_eq!(session["open"]["type"], "live");
    let mut page = Watch::from(&browser, None);
    begin(&path, "a");
    write(&path, &event("a", 0, 10));
    let first = page.next();
    assert_eq!((first.name.as_str(), first.id), ("run", 1));
    assert_eq!(first.data["first"], 0);
    assert_eq!(first.data["hosts"][0]["name"], "a");
    write(&path, &event("a", 1, 20));
    let second = page.next();
    assert_eq!((second.id, &second.data["first"]), (2, &Value::from(1)));
    assert_eq!(second.data["events"].as_array().unwrap().len(), 1);
    let mut back = Watch::from(&browser, Some(1));
    let missed = back.next();
    assert_eq!((missed.id, &missed.data["first"]), (2, &Value::from(1)));
    assert_eq!(missed.data["events"][0]["time_ns"], 10);
}

#[test]
fn a_file_that_is_no_recording_is_told_to_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    fs::write(&path, "garbage\n").unwrap();
    let trouble = Watch::from(&serve(vec![path]), None).next();
    assert_eq!(trouble.name, "trouble");
    assert!(trouble.data["en"].as_str().unwrap().contains("a.jsonl"));
    assert!(!trouble.data["zh"].as_str().unwrap().is_ascii());
}

#[test]
fn a_run_that_becomes_too_long_for_one_page_goes_on_as_a_recording() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    begin(&path, "a");
    let lines: String = (0..20_001)
        .map(|index| serde_json::to_string(&event("a", index, index)).unwrap() + "\n")
        .collect();
    OpenOptions::new().append(true).open(&path).unwrap().write_all(lines.as_bytes()).unwrap();
    let browser = serve(vec![path]);
    let told = Watch::from(&browser, None).next();
    assert_eq!(told.name, "log");
    assert_eq!((&told.data["type"], &told.data["events"]), (&"log".into(), &20_001.into()));
    let window = browser.get("/api/log/window?first=20000").send().json();
    assert_eq!(window["events"].as_array().unwrap().len(), 1);
    let session = browser.get("/api/session").send().json();
    assert_eq!(session["open"]["type"], "log");
}

#[test]
fn a_lesson_is_not_live() {
    let answer = browser::open_lesson().get("/api/live").send();
    assert_eq!(answer.status, 404);
}
