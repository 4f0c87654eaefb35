//! `tcpstack export` as a person runs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tcpstack_lab::lesson::lessons;

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

/// Status and what is said in each language.
fn refused(command: &str, arguments: &[&str]) -> [(Option<i32>, String); 2] {
    ["en", "zh"].map(|language| {
        let output = Command::new(env!("CARGO_BIN_EXE_tcpstack"))
            .arg(command)
            .args(arguments)
            .args(["--lang", language])
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    })
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// Whether `command` ends with `status` and says `parts` in English, and the same in Chinese.
fn check(command: &str, arguments: &[&str], status: i32, parts: &[&str]) {
    let [english, chinese] = refused(command, arguments);
    assert_eq!((english.0, chinese.0), (Some(status), Some(status)), "{english:?} {chinese:?}");
    assert!(parts.iter().all(|part| english.1.contains(part)), "{}", english.1);
    assert!(!is_chinese(&english.1) && is_chinese(&chinese.1), "{} {}", english.1, chinese.1);
    // What was named is named in both.
    let asked = parts.first().filter(|part| arguments.contains(part));
    assert!(asked.is_none_or(|asked| chinese.1.contains(asked)), "{}", chinese.1);
}

#[test]
fn what_is_wrong_is_said_with_what_would_be_right() {
    let usage = |arguments: &[&str], parts: &[&str]| check("export", arguments, 2, parts);
    usage(&[RUN, "--to", "a.txt"], &["a.txt", "which format?", ".html .svg .png"]);
    usage(&["999", "--to", "a.svg"], &["999", "is neither a file nor a lesson", "1 handshake"]);
    usage(&["1", "nowhere", "--to", "a.svg"], &["nowhere", "expected one of"]);
    usage(&["1", "open", "more", "--to", "a.svg"], &["more", "is one too many"]);
    usage(&[RUN, "--to", "a.svg", "--rule", "client:1:drop"], &["--rule is for lessons"]);
    usage(&["1", "--to", "a.svg", "--rule", "router:1:drop"], &["`router` sends no packets"]);
    usage(&["1", "--to", "a.svg", "--rule", "client:drop"], &["client:drop", "client:3:drop"]);
    usage(&[RUN, "--to", "a.pcapng"], &["--host (client, server)"]);
    usage(&[RUN, "--to", "a.pcapng", "--host", "x"], &["x", "no host x", "client, server"]);
    usage(&["--all", "--to", "a.svg"], &["--all is for pages"]);
    usage(&["1", "--to", "a", "--format", "gif"], &["gif", "svg"]);
    usage(&["1"], &["--to"]);
    usage(&["--to", "a.svg"], &["<LESSON"]);
    let failure = |arguments: &[&str], parts: &[&str]| check("export", arguments, 1, parts);
    failure(&[RUN, "--to", "/nowhere/a.svg"], &["/nowhere/a.svg", "No such file"]);
    failure(&["Cargo.toml", "--to", "a.svg"], &["Cargo.toml"]);
}

#[test]
fn what_cannot_be_played_is_said_with_what_can() {
    let usage = |arguments: &[&str], parts: &[&str]| check("play", arguments, 2, parts);
    usage(&["999"], &["999", "no lesson", "1 handshake", ".toml"]);
    usage(&["1", "nowhere"], &["nowhere", "expected one of", "lost-syn"]);
    usage(&["1", "open", "more"], &["more"]);
    usage(&["1", "--rule", "router:1:drop"], &["`router` sends no packets", "client"]);
    usage(&["1", "--rule", "client:0:drop"], &["client:0:drop", "client:3:drop"]);
    usage(&["1", "--rule", "client:1:explode"], &["client:1:explode", "client:3:drop"]);
    usage(&["1", "--connection", "2"], &["there is no connection 2", "the number 1"]);
    usage(&["1", "--json", "--events"], &["--json", "--events"]);
    usage(&["1", "--width", "10"], &["10", "72..=400"]);
    usage(&[], &["<LESSON>"]);
    check("play", &["nowhere.toml"], 1, &["nowhere.toml", "No such file"]);
}

/// A link of `page`, as the folder has it.
fn links(page: &str) -> Vec<&str> {
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.filter(|link| !link.starts_with("data:")).collect()
}

#[test]
fn the_course_is_a_folder_of_pages_that_need_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("course");
    let output = export(&["--all", "--to", folder.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    for (name, lang) in [("index.html", "en"), ("index.zh.html", "zh-CN")] {
        let index = read(name);
        assert!(index.contains(&format!("<html lang=\"{lang}\">")));
        for link in links(&index) {
            let file = link.split('#').next().unwrap();
            assert!(folder.join(file).is_file(), "{name} leads to {link}");
        }
    }
    let pages: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("index."))
        .collect();
    assert_eq!(pages.len(), lessons().len());
    for name in &pages {
        let page = read(name);
        // The frame around program and data loads nothing.
        let (frame, data) = page.split_once("id=\"tcpstack-data\">").unwrap();
        assert!(!frame.contains(" src=\"") && links(frame).is_empty(), "{name}");
        assert!(frame.contains("default-src 'none'"), "{name}");
        let data: serde_json::Value =
            serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
        let addresses = data["pages"].as_object().unwrap().values();
        assert!(addresses.into_iter().all(|page| pages.iter().any(|name| page == name)));
        let runs = data["runs"].as_array().unwrap();
        let of = format!("{:02}-", runs[0]["origin"]["lesson"].as_u64().unwrap());
        assert!(name.starts_with(&of), "{name} has the runs of lesson {of}");
    }
}
