//! What tshark remarks on the capture that is exported of a host: an opinion from outside the house.

use std::fs;
use std::process::Command;

use tcpstack_lab::export::pcapng::capture_of;
use tcpstack_lab::run::HostIndex;
use tcpstack_lab::stage::Performance;

/// tshark's PI_NOTE: below are comments and what is as usual.
const NOTE: u64 = 0x0040_0000;

/// The direction of what the host sent.
const OUTBOUND: &str = "0x00000002";

pub(crate) fn is_tshark_here() -> bool {
    Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Each remark with the number of its frame, `6 This frame is a (suspected) retransmission`, or with those
/// of the first and the last where frames that follow each other get the same: `36-75 This frame ...`.
pub(crate) fn notes(performance: &Performance, host: HostIndex) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("host.pcapng");
    let capture = capture_of(&performance.run, &performance.packets, host).unwrap();
    fs::write(&path, capture).unwrap();
    let fields = [
        "frame.number",
        "_ws.expert.severity",
        "_ws.expert.message",
        "frame.packet_flags_direction",
        "frame.comment",
    ];
    let mut tshark = Command::new("tshark");
    // Settings of whoever runs the test must not matter.
    tshark.env("HOME", folder.path()).env("XDG_CONFIG_HOME", folder.path());
    tshark.arg("-r").arg(&path).args(["-n", "-o", "tcp.check_checksum:TRUE"]);
    tshark.args(["-T", "fields", "-E", "aggregator=;"]);
    tshark.args(fields.iter().flat_map(|field| ["-e", field]));
    let output = tshark.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut spans: Vec<(u64, u64, String)> = Vec::new();
    for (frame, remark) in text.lines().flat_map(remarks) {
        let known =
            spans.iter_mut().find(|(_, last, known)| *known == remark && *last + 1 == frame);
        match known {
            Some((_, last, _)) => *last = frame,
            None => spans.push((frame, frame, remark)),
        }
    }
    spans.into_iter().map(|(first, last, remark)| span(first, last, &remark)).collect()
}

fn span(first: u64, last: u64, remark: &str) -> String {
    if first == last { format!("{first} {remark}") } else { format!("{first}-{last} {remark}") }
}

fn remarks(line: &str) -> Vec<(u64, String)> {
    let mut columns = line.split('\t');
    let mut column = || columns.next().unwrap_or_default();
    let (frame, severities, messages) = (column(), column(), column());
    let frame = frame.parse().expect("tshark numbers frames");
    if column() == OUTBOUND {
        // Whoever reads the capture sees why each packet was sent.
        assert!(column().contains("(RFC "), "frame {frame} has no clause in its comment");
    }
    let severities = severities.split(';').map(|severity| severity.parse().unwrap_or(0));
    let messages = severities.zip(messages.split(';'));
    messages
        .filter(|(severity, message)| *severity >= NOTE && !is_usual(message))
        .map(|(_, message)| (frame, message.to_owned()))
        .collect()
}

/// Every FIN is remarked on.
fn is_usual(message: &str) -> bool {
    message.ends_with("the connection closing")
}
