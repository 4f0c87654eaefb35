//! The command as a person runs it.

mod stage;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stage::plays;
use tcpstack::event::Observer;
use tcpstack::event::json::JsonLines;

/// Runs `tcpstack` with `arguments` in English, without a terminal.
fn tcpstack(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tcpstack"))
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Writes the flow of the notes as its two hosts would, and returns the files.
fn record(dir: &Path) -> Vec<PathBuf> {
    let write = |host: stage::Host| {
        let source = host.source();
        let path = dir.join(&source.name);
        let file = File::create(&path).unwrap();
        let mut lines = JsonLines::new(file, &source.recording.header).unwrap();
        source.recording.events.iter().for_each(|event| lines.event(event));
        path
    };
    plays::notes(40).into_iter().map(write).collect()
}

#[test]
fn show_draws_what_the_hosts_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let files = record(dir.path());
    let files: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
    let output = tcpstack(&[&["show", "--width", "110"], &files[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let expected = include_str!("drawings/notes.txt");
    assert_eq!(text(&output.stdout), expected);
}

#[test]
fn show_speaks_the_language_of_the_environment_or_the_one_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let files = record(dir.path());
    let output = Command::new(env!("CARGO_BIN_EXE_tcpstack"))
        .arg("show")
        .args(&files)
        .env("LC_ALL", "zh_CN.UTF-8")
        .output()
        .unwrap();
    assert!(text(&output.stdout).contains("图例"));
    let asked = tcpstack(&["show", "--lang", "zh", files[0].to_str().unwrap()]);
    assert!(text(&asked.stdout).contains("客户端"));
}

#[test]
fn show_names_the_file_and_line_of_what_it_cannot_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("broken.jsonl");
    let file = path.to_str().unwrap();
    let missing = tcpstack(&["show", file]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("broken.jsonl: No such file"));
    fs::write(&path, "hello\n").unwrap();
    let other = tcpstack(&["show", file]);
    assert_eq!(other.status.code(), Some(1));
    assert!(text(&other.stderr).contains("broken.jsonl is no run: expected what `events=FILE`"));
    fs::write(&path, "{}\n").unwrap();
    let broken = tcpstack(&["show", file]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(text(&broken.stderr).contains("broken.jsonl: line 1 is no `tcpstack-events` header"));
}

#[test]
fn show_draws_a_file_that_was_cut_short_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let files = record(dir.path());
    let bytes = fs::read(&files[0]).unwrap();
    fs::write(&files[0], &bytes[..bytes.len() - 10]).unwrap();
    let output = tcpstack(&["show", files[0].to_str().unwrap()]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("10.7.0.1.jsonl ends inside line"));
}

#[test]
fn show_says_which_connections_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let files = record(dir.path());
    let output = tcpstack(&["show", "--connection", "2", files[0].to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "tcpstack: there is no connection 2: there is one, with the number 1\n"
    );
}

#[test]
fn url_lists_every_knob_with_its_default() {
    let output = tcpstack(&["url"]);
    let list = text(&output.stdout);
    for knob in tcpstack::host::KNOBS {
        assert!(list.contains(knob.name), "{} is missing in {list}", knob.name);
    }
    assert!(list.contains("events=FILE"));
}

#[test]
fn tun_refuses_what_is_no_network() {
    let output = tcpstack(&["tun", "up", "tcps0", "--user", "0", "--host", "10.7.0.1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("expected ADDRESS/LEN, as 10.7.0.1/24"));
}

#[test]
fn what_names_no_lesson_no_scenario_and_no_file_is_told_with_what_would_be_right() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let other = dir.path().join("notes.txt");
    fs::write(&other, "hello\n").unwrap();
    let other = other.to_str().unwrap();
    let wrong: [(&[&str], &str); 7] = [
        (&["99"], "99 is neither a file nor a lesson: the lessons are 1 handshake, 2 header, "),
        (&["no-lesson"], "9 time-wait, 10 half-close, 11 attacks, 12 your-own"),
        (
            &["9", "nowait"],
            "no scenario `nowait`: expected one of normal, lost-last-ack, no-wait, ",
        ),
        (&["time-wait", "no-wait", "9"], "9 is one too many: expected a lesson and at most one"),
        (&["missing.toml"], "missing.toml: No such file"),
        (&[folder], "is a folder: name the files in it"),
        (&[other], "notes.txt is no run: expected what `events=FILE` writes, a capture"),
    ];
    let svg = dir.path().join("x.svg");
    let to = ["--to", svg.to_str().unwrap()];
    for (words, right) in wrong {
        // Whichever command is asked, the words mean the same.
        let mut asked = vec![[&["export"], words, &to].concat()];
        if cfg!(feature = "server") {
            asked.push([&["lab"], words, &["--no-open"]].concat());
        }
        for arguments in asked {
            let output = tcpstack(&arguments);
            let said = text(&output.stderr);
            assert!(!output.status.success(), "{arguments:?}: {said}");
            assert!(said.contains(right), "{arguments:?}: {said}");
        }
    }
}

#[cfg(all(feature = "server", feature = "terminal"))]
#[test]
fn the_lab_says_in_the_language_asked_for_what_it_cannot_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run.json");
    assert!(tcpstack(&["export", "1", "--to", run.to_str().unwrap()]).status.success());
    let run = run.to_str().unwrap();
    let wrong: [(&[&str], &str, &str); 4] = [
        (
            &["1", "--port", &port],
            "is taken by another program: give another one",
            "已被别的程序占用",
        ),
        (&[run, "--follow"], "cannot be followed: only what `events=FILE` writes", "无法跟踪"),
        (&[run, run], "is a run, which is opened alone", "run.json"),
        (&["1", "--terminal"], "--terminal needs a terminal", "需要一个终端"),
    ];
    for (words, en, zh) in wrong {
        let quiet: &[&str] = if words.contains(&"--terminal") { &[] } else { &["--no-open"] };
        for (lang, said) in [("en", en), ("zh", zh)] {
            let output = tcpstack(&[&["lab", "--lang", lang], words, quiet].concat());
            let heard = text(&output.stderr);
            assert!(!output.status.success() && heard.contains(said), "{words:?}: {heard}");
        }
    }
}

#[test]
fn a_rule_for_a_packet_that_is_never_sent_is_told_with_how_many_there_are() {
    let output = tcpstack(&["play", "1", "--rule", "client:99:drop"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("no packet 99 of `client`: it sends "));
}
