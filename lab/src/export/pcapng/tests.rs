use super::*;
use crate::export::tests::{broken_run, lossy_run, output};
use crate::run::Fate;

/// What tshark says of `capture`: of each packet the `fields`, apart by `|`. It must not complain.
fn tshark(capture: &[u8], fields: &[&str]) -> Option<Vec<String>> {
    let mut arguments = vec!["-n", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"];
    arguments.extend(["-r", "-", "-T", "fields", "-E", "separator=|"]);
    arguments.extend(fields.iter().flat_map(|field| ["-e", field]));
    let (text, errors) = output("tshark", &arguments, capture)?;
    let complaint = errors.lines().find(|line| !line.starts_with("Running as user"));
    assert_eq!(complaint, None, "tshark complains");
    Some(text.lines().map(str::to_owned).collect())
}

#[test]
fn each_host_has_what_it_sent_and_what_reached_it_at_its_own_time() {
    let run = lossy_run();
    let fields = ["frame.time_epoch", "frame.packet_flags_direction", "ip.src", "tcp.flags.str"];
    let Some(client) = tshark(&capture(&run, 0).unwrap(), &fields) else { return };
    let server =
        tshark(&capture(&run, host_named(&run, "server").unwrap()).unwrap(), &fields).unwrap();
    // Of the sixteen segments one never reached the server.
    assert_eq!((client.len(), server.len()), (16, 15));
    assert!(client[0].starts_with("0.000000000|0x00000002|10.0.0.1|"), "{}", client[0]);
    assert!(server[0].starts_with("0.020000000|0x00000001|10.0.0.1|"), "{}", server[0]);
}

#[test]
fn whole_packets_have_right_checksums_and_cut_ones_their_true_length() {
    let run = lossy_run();
    let fields =
        ["frame.len", "frame.cap_len", "tcp.len", "tcp.checksum.status", "ip.checksum.status"];
    let Some(packets) = tshark(&capture(&run, 0).unwrap(), &fields) else { return };
    for packet in &packets {
        let [len, captured, text, tcp, ip] = packet.split('|').collect::<Vec<_>>()[..] else {
            panic!("{packet}");
        };
        assert_eq!(ip, "1", "{packet}");
        match text {
            "0" => assert_eq!((len, tcp), (captured, "1"), "{packet}"),
            // 20 bytes of IP, 32 of TCP, and the first 64 of the text.
            _ => assert_eq!((captured, tcp), ("116", "2"), "{packet}"),
        }
    }
}

#[test]
fn the_reason_is_the_packets_comment() {
    let Some(packets) = tshark(&capture(&lossy_run(), 0).unwrap(), &["frame.comment"]) else {
        return;
    };
    let text = packets.join("\n");
    assert!(text.starts_with("active-open (RFC 9293 §3.10.1): connect() opens"), "{text}");
    assert!(text.contains("rack-retransmit"), "{text}");
}

#[test]
fn a_damaged_packet_arrives_with_its_bit_flipped() {
    let mut run = lossy_run();
    let at = run.flights.iter().position(|flight| flight.rule.is_some()).unwrap();
    let syn = run.flights[0].received.unwrap();
    run.flights[at].fate = Fate::Damaged;
    // The first packet, for it is whole: bit 100 lies in the first byte behind the acknowledgment number.
    run.flights[0].fate = Fate::Damaged;
    run.flights[0].rule = Some(0);
    let Origin::Simulated { rules, .. } = &mut run.origin else { panic!("not simulated") };
    rules[0].action = Action::Corrupt { bit: 100 };
    let counter = "tcp_checksum".to_owned();
    run.events[syn].kind = Kind::PacketDropped { counter, len: 60 };
    run.events[syn].connection = None;
    let fields = ["tcp.checksum.status", "tcp.hdr_len"];
    let Some(server) = tshark(&capture(&run, 1).unwrap(), &fields[..1]) else { return };
    assert_eq!(server[0], "0");
    assert_eq!(tshark(&capture(&run, 0).unwrap(), &fields[..1]).unwrap()[0], "1");
}

#[test]
fn who_is_not_there_is_named_with_who_is() {
    let error = host_named(&lossy_run(), "router").unwrap_err().to_string();
    assert_eq!(error, "there is no host router: the run has client, server");
}

#[test]
fn a_run_that_leads_nowhere_gives_a_capture_of_the_rest() {
    let run = broken_run();
    for host in 0..run.hosts.len() {
        tshark(&capture(&run, host).unwrap(), &["frame.number"]);
    }
}

#[test]
fn a_run_that_was_played_gives_its_packets_whole() {
    let lesson = crate::lesson::find("1").unwrap();
    let played = crate::stage::perform(lesson, &lesson.scenarios[0].id, &[]).unwrap();
    for host in 0..played.run.hosts.len() {
        let file = capture_of(&played.run, &played.packets, host).unwrap();
        let fields = ["frame.len", "frame.cap_len", "tcp.checksum.status", "frame.comment"];
        let Some(packets) = tshark(&file, &fields) else { return };
        assert!(!packets.is_empty());
        let packets = packets.iter().filter(|line| line.contains('|'));
        for packet in packets {
            let parts: Vec<&str> = packet.split('|').collect();
            assert_eq!((parts[0], parts[2]), (parts[1], "1"), "{packet}");
        }
    }
}
