use std::process::{Command, Stdio};

use super::*;
use crate::wire::{icmp, ip, packet::Transmit, tcp};

/// The lines that tshark prints for `capture`, one a packet, its fields apart by `|`; None when there
/// is no tshark here, which on CI is a failure.
pub(in crate::device) fn tshark(capture: &[u8], fields: &[&str]) -> Option<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]);
    command.args(["-r", "-", "-T", "fields", "-E", "separator=|"]);
    command.args(fields.iter().flat_map(|field| ["-e", field]));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        assert!(std::env::var_os("CI").is_none(), "tshark is missing (package tshark)");
        eprintln!("left out: no tshark here (package tshark)");
        return None;
    };
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), capture).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tshark: {errors}");
    let complaints: Vec<&str> =
        errors.lines().filter(|line| !line.starts_with("Running as user")).collect();
    assert!(complaints.is_empty(), "tshark complains: {complaints:?}");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

fn syn() -> Vec<u8> {
    let ip = ip::Header::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), ip::PROTOCOL_TCP, 64, 0);
    let tcp = tcp::Header {
        src_port: 40_000,
        dst_port: 80,
        seq: 7,
        flags: tcp::Flags::SYN,
        ..Default::default()
    };
    Transmit::tcp(ip, &tcp, Default::default(), 0, None).to_bytes()
}

#[test]
fn wireshark_reads_times_directions_comments_and_both_ip_versions() {
    let mut file = Vec::new();
    let mut writer = PcapngWriter::new(&mut file, "tun:tcps0", 1_700_000_000_000_000_000).unwrap();
    let syn = syn();
    let (ip, tcp) = syn.split_at(20);
    let at = |ns| Instant::from_nanos(ns);
    writer.packet(at(1), Direction::Outbound, Some(Reason::ActiveOpen), &[ip, tcp]);
    let (a, b) = ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap());
    // An odd length: the padding is not part of the packet.
    writer.packet(at(5_000_000_002), Direction::Inbound, None, &[&icmp::echo_reply(a, b, &[1; 9])]);
    writer.flush().unwrap();

    let fields = [
        "frame.time_epoch",
        "frame.packet_flags_direction",
        "frame.len",
        "_ws.col.Info",
        "frame.interface_name",
    ];
    let Some(lines) = tshark(&file, &fields) else { return };
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("1700000000.000000001|0x00000002|40|40000"), "{}", lines[0]);
    assert!(lines[0].ends_with("|tun:tcps0"), "{}", lines[0]);
    assert!(
        lines[1].starts_with("1700000005.000000002|0x00000001|53|Echo (ping) reply"),
        "{}",
        lines[1]
    );

    let comments = tshark(&file, &["frame.comment", "tcp.checksum.status"]).unwrap();
    let comment = comments.join("\n");
    assert!(comment.starts_with("active-open (RFC 9293 §3.10.1): connect() opens"), "{comment}");
    assert!(comment.contains("主动打开"), "{comment}");
    assert!(comment.contains("|1"), "{comment}");
}

#[test]
fn nothing_is_written_before_flush_and_then_everything_at_once() {
    let mut writer = PcapngWriter::new(Vec::new(), "x", 0).unwrap();
    let head = writer.out.len();
    writer.packet(Instant::ZERO, Direction::Inbound, None, &[&syn()]);
    assert_eq!(writer.out.len(), head);
    writer.flush().unwrap();
    // 28 fixed, 40 of packet, 8 of flags, 4 of end, 4 of length.
    assert_eq!(writer.out.len(), head + 84);
    assert_eq!(writer.out.len() % 4, 0);
}

#[test]
fn wireshark_sees_how_long_a_cut_packet_was() {
    let mut file = Vec::new();
    let mut writer = PcapngWriter::new(&mut file, "x", 0).unwrap();
    let front = &syn()[..30];
    writer.cut_packet(Instant::ZERO, Direction::Inbound, None, &[front], 40);
    writer.flush().unwrap();
    let Some(lines) = tshark(&file, &["frame.len", "frame.cap_len", "tcp.checksum.status"]) else {
        return;
    };
    assert_eq!(lines, ["40|30|"]);
}
