use std::io::Write;
use std::process::{Command, Stdio};

use tcpstack::event::{Kind, SegmentRecord};

use super::*;
use crate::run::Position;

/// A client that sends 5,000 bytes, the first of whose segments is lost, and both sides close.
pub(crate) fn lossy_run() -> Run {
    serde_json::from_str(include_str!("../../tests/runs/loss.json")).unwrap()
}

/// The first sending that `is` accepts.
pub(crate) fn sent(run: &Run, is: impl Fn(&SegmentRecord) -> bool) -> Option<Position> {
    run.events.iter().position(|event| match &event.kind {
        Kind::SegmentSent(record) => is(record),
        _ => false,
    })
}

/// A run whose texts are what a hostile file could put there.
pub(super) fn hostile_run() -> Run {
    let mut run = lossy_run();
    let evil = "</script><!--<b>&\"'; end\n%% #\u{1}x";
    run.title.en = evil.to_owned();
    run.title.zh = evil.to_owned();
    run.hosts[0].name = evil.to_owned();
    run.events.iter_mut().filter(|event| &*event.host == "client").for_each(|event| {
        event.host = evil.into();
        if let Kind::CallEntered { arguments, .. } = &mut event.kind {
            *arguments = evil.to_owned();
        }
    });
    run.calls.iter_mut().for_each(|call| call.arguments = evil.to_owned());
    run
}

/// A run none of whose positions leads anywhere.
pub(super) fn broken_run() -> Run {
    let mut run = lossy_run();
    for (at, flight) in run.flights.iter_mut().enumerate() {
        match at % 4 {
            0 => flight.sent = Some(usize::MAX),
            1 => flight.received = Some(0),
            2 => flight.to = 7,
            _ => flight.sent = None,
        }
    }
    for (at, call) in run.calls.iter_mut().enumerate() {
        match at % 3 {
            0 => call.host = 9,
            1 => call.returned = Some(usize::MAX),
            _ => call.entered = usize::MAX,
        }
    }
    run.events.iter_mut().step_by(5).for_each(|event| event.host = "nobody".into());
    run.events.iter_mut().step_by(7).for_each(|event| event.time_ns = 0);
    run
}

/// A run in which a call is entered `count` times more and never returns.
pub(super) fn long_run(count: usize) -> Run {
    let mut run = lossy_run();
    let call = run.calls[0].clone();
    let entered = run.events[call.entered].clone();
    for _ in 0..count {
        run.calls.push(crate::run::CallSpan { entered: run.events.len(), ..call.clone() });
        run.events.push(entered.clone());
    }
    run
}

/// What `program` prints when it is given `input`; None where it is not installed, which on CI is a failure.
pub(super) fn output(program: &str, arguments: &[&str], input: &[u8]) -> Option<(String, String)> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        assert!(std::env::var_os("CI").is_none(), "{program} is missing");
        eprintln!("left out: no {program} here");
        return None;
    };
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program}: {errors}");
    Some((String::from_utf8_lossy(&output.stdout).into_owned(), errors))
}

#[test]
fn the_ending_of_a_file_names_its_format() {
    let of = |name: &str| Format::of(Path::new(name));
    assert_eq!(of("a/b.HTML"), Some(Format::Html));
    assert_eq!(of("run.svg"), Some(Format::Svg));
    assert_eq!(of("run.mmd"), Some(Format::Mermaid));
    assert_eq!(of("run.pcapng"), Some(Format::Pcapng));
    assert_eq!(of("run.txt"), None);
    assert_eq!(of("-"), None);
}

#[test]
fn json_comes_back_as_the_run_it_was() {
    let run = lossy_run();
    assert_eq!(serde_json::from_str::<Run>(&json(&run).unwrap()).unwrap(), run);
}
