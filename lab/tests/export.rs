//! `tcpstack export` as a person runs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const RUN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runs/loss.json");

/// Runs `tcpstack export` with `arguments` in English.
fn export(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tcpstack"))
        .arg("export")
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap()
}

/// What it says of what it cannot do.
fn refusal(arguments: &[&str]) -> String {
    let output = export(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Writes to a file called `name`, and returns what is in it.
fn file(dir: &Path, name: &str, arguments: &[&str]) -> Vec<u8> {
    let path = dir.join(name);
    let output = export(&[arguments, &["--to", path.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(path).unwrap()
}

#[test]
fn the_ending_says_what_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let begins = |name: &str, start: &[u8]| {
        let file = file(dir.path(), name, &[RUN]);
        assert!(file.starts_with(start), "{name}: {:?}", String::from_utf8_lossy(&file[..20]));
    };
    begins("a.html", b"<!doctype html>");
    begins("a.svg", b"<svg xmlns=");
    begins("a.mmd", b"sequenceDiagram\n");
    begins("a.json", b"{\"format\":\"tcpstack-run\"");
}

#[test]
fn a_run_that_was_exported_is_exported_again_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let first = file(dir.path(), "first.json", &[RUN]);
    let path = dir.path().join("first.json");
    assert_eq!(file(dir.path(), "second.json", &[path.to_str().unwrap()]), first);
}

#[test]
fn a_lesson_goes_to_the_standard_output_in_the_language_asked_for() {
    let output = export(&["1", "--to", "-", "--format", "svg", "--lang", "zh", "--theme", "dark"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("客户端") && text.ends_with("</svg>\n"));
}

#[test]
fn a_directory_gets_one_capture_for_each_host() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("captures");
    let output = export(&["1", "--to", path.to_str().unwrap(), "--format", "pcapng"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut names: Vec<_> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["client.pcapng", "server.pcapng"]);
    let server = file(dir.path(), "one.pcapng", &["1", "--host", "server"]);
    assert_eq!(server, fs::read(dir.path().join("captures/server.pcapng")).unwrap());
}

#[test]
fn a_name_that_is_a_path_stays_in_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let run = fs::read_to_string(RUN).unwrap().replace("\"client\"", "\"../client\"");
    let path = dir.path().join("run.json");
    fs::write(&path, run.replace("\"role\": \"../client\"", "\"role\": \"client\"")).unwrap();
    let captures = dir.path().join("captures");
    let arguments =
        [path.to_str().unwrap(), "--to", captures.to_str().unwrap(), "--format", "pcapng"];
    let output = export(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_dir(&captures).unwrap().count(), 2);
    assert!(captures.join(".._client.pcapng").exists());
}

#[test]
fn a_rule_gives_another_run_in_the_same_page() {
    let dir = tempfile::tempdir().unwrap();
    let runs = |arguments: &[&str]| {
        let page = String::from_utf8(file(dir.path(), "a.html", arguments)).unwrap();
        let (_, data) = page.split_once("id=\"tcpstack-data\">").unwrap();
        let data: serde_json::Value =
            serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
        let count = |of: &str| data[of].as_array().map_or(0, Vec::len);
        (count("runs"), count("differences"), data["selected"].as_u64().unwrap())
    };
    let (all, none, first) = runs(&["1"]);
    assert_eq!((none, first), (0, 0));
    let changed = runs(&["1", "--rule", "client:1:drop"]);
    assert_eq!(changed, (all + 1, all + 1, all as u64));
}

#[test]
fn what_is_wrong_is_said_with_what_would_be_right() {
    let says = |arguments: &[&str], parts: &[&str]| {
        let error = refusal(arguments);
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    says(&[RUN, "--to", "a.txt"], &["which format?", ".html .svg .png"]);
    says(&["999", "--to", "a.svg"], &["999 is neither a file nor a lesson", "1 handshake"]);
    says(&["1", "nowhere", "--to", "a.svg"], &["nowhere", "expected one of"]);
    says(&["1", "hello", "more", "--to", "a.svg"], &["more is one too many"]);
    says(&[RUN, "--to", "a.svg", "--rule", "client:1:drop"], &["--rule is for lessons"]);
    says(&[RUN, "--to", "a.pcapng"], &["--host (client, server)"]);
    says(&[RUN, "--to", "a.pcapng", "--host", "x"], &["no host x", "client, server"]);
    says(&["--all", "--to", "a.svg"], &["--all is for a page"]);
    says(&[RUN, "--to", "/nowhere/a.svg"], &["/nowhere/a.svg", "No such file"]);
}
