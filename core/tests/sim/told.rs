//! What the events of a run have to tell, checked at the end of every script: why each thing was done, what
//! limits each sender, and each segment as it was on the wire.

use std::collections::BTreeMap;

use tcpstack::event::{Event, Kind, Limit, SegmentRecord};
use tcpstack::sim::{Captured, Fate, Journey, Packet, Vantage};
use tcpstack::tcp::State;
use tcpstack::wire::checksum;

use super::script::{Net, net, net_with_knobs, text};

/// Panics where an event leaves something open.
pub(crate) fn check(net: &Net) {
    for event in net.events() {
        let needs_reason = matches!(
            event.kind,
            Kind::SegmentSent(_)
                | Kind::StateChanged { .. }
                | Kind::TimerFired { .. }
                | Kind::CongestionChanged { .. }
        );
        assert!(!needs_reason || event.reason.is_some(), "without a reason: {event:?}");
    }
    check_limits(net.events());
    check_headers(net);
}

/// When nothing more happens at a moment, whoever could send is limited by something; and what was said to be
/// limited by its application does not send new text before that has called.
fn check_limits(events: &[Event]) {
    let mut last: BTreeMap<(&str, u64), &Event> = BTreeMap::new();
    for event in events.iter().filter(|event| event.after.is_some()) {
        let Some(name) = event.connection else { continue };
        let before = last.insert((&event.host, name.id), event);
        if let Some(before) = before.filter(|before| before.time_ns < event.time_ns) {
            check_settled(before);
        }
    }
    last.values().for_each(|event| check_settled(event));
}

fn check_settled(event: &Event) {
    let Some(after) = &event.after else { return };
    let may_send = matches!(after.state, State::Established | State::CloseWait);
    assert!(
        !may_send || after.limit.is_some(),
        "nothing limits it, and it sends nothing: {event:?}"
    );
    let has_text = after.send_buffer.unsent > 0;
    let is_done = matches!(after.limit, Some(Limit::Application | Limit::SendBuffer));
    assert!(!(has_text && is_done), "there is text: {event:?}");
}

/// The record of a segment is what was seen on the link, byte for byte, at both of its ends.
fn check_headers(net: &Net) {
    let events: BTreeMap<(&str, u64), &Event> =
        net.events().iter().map(|event| ((&*event.host, event.index), event)).collect();
    let name = |host| if host == net.client_host { "client" } else { "server" };
    let seen = |journey: &Journey, vantage| {
        let is_it = |seen: &&Captured| {
            (seen.from, seen.packet.number, seen.vantage) == (journey.from, journey.number, vantage)
        };
        net.captured(net.link).iter().find(is_it).map(|seen| &seen.packet)
    };
    // Looking each up costs the square of their number.
    for journey in net.journeys(net.link).iter().take(200) {
        let sent = journey.sent.map(|index| events[&(name(journey.from), index)]);
        if let (Some(event), Some(packet)) = (sent, seen(journey, Vantage::Departure)) {
            let Kind::SegmentSent(record) = &event.kind else { panic!("{event:?}") };
            check_record(record, packet);
        }
        let is_whole = matches!(journey.fate, Fate::Arrived | Fate::Duplicate);
        let received = journey.received.map(|index| events[&(name(journey.to), index)]);
        if let Some(Event { kind: Kind::SegmentReceived(record), .. }) = received
            && let Some(packet) = seen(journey, Vantage::Arrival).filter(|_| is_whole)
        {
            check_record(record, packet);
        }
    }
}

fn check_record(record: &SegmentRecord, packet: &Packet) {
    if record.segments > 1 {
        return;
    }
    let header = &packet.bytes[packet.ip.header_len..packet.bytes.len() - packet.payload.len()];
    let shown: String = header.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(record.header, shown, "{packet}");
    assert_eq!(record.payload_sum, Some(checksum::sum(&packet.payload)), "{packet}");
    assert!(checksum::verify_transport_checksum(&packet.ip, &packet.bytes[packet.ip.header_len..]));
}

#[test]
fn a_connection_begins_with_a_phase_of_its_controller() {
    let mut net = net();
    let _ = net.open();
    for host in ["client", "server"] {
        let phases: Vec<_> = net
            .events()
            .iter()
            .filter(|event| &*event.host == host)
            .filter_map(|event| match &event.kind {
                Kind::CongestionChanged { phase } => {
                    Some((phase.as_str(), event.reason.map(|r| r.id())))
                }
                _ => None,
            })
            .collect();
        assert_eq!(phases, [("slow_start", Some("slow-start"))], "{host}");
    }
}

/// What limited the client, in order, without repetitions.
fn limits(net: &Net) -> Vec<Limit> {
    let of_client = net.events().iter().filter(|event| &*event.host == "client");
    let mut limits: Vec<Limit> =
        of_client.filter_map(|event| event.after.as_ref()?.limit).collect();
    limits.dedup();
    limits
}

#[test]
fn a_bulk_is_limited_by_the_congestion_window_and_then_by_a_reader_who_does_not_read() {
    let mut net =
        net_with_knobs(&[("tcp_moderate_rcvbuf", "0"), ("tcp_wmem", "4096 2000000 2000000")]);
    let (client, _) = net.open();
    net.send(client, &text(500_000)).unwrap();
    net.run_ms(10_000);
    assert_eq!(limits(&net), [Limit::Application, Limit::Congestion, Limit::Receiver]);
}

#[test]
fn a_small_send_buffer_limits_whoever_writes_more() {
    let mut net = net_with_knobs(&[("tcp_wmem", "4096 4096 4096")]);
    let (client, _) = net.open();
    net.send(client, &text(5000)).unwrap();
    net.run_ms(1);
    assert_eq!(limits(&net), [Limit::Application, Limit::SendBuffer]);
    net.run_ms(1000);
    assert_eq!(limits(&net), [Limit::Application, Limit::SendBuffer, Limit::Application]);
}

#[test]
fn a_small_tail_waits_for_nagle() {
    let mut net = net();
    let (client, _) = net.open();
    net.send(client, b"one").unwrap();
    net.send(client, b"two").unwrap();
    assert_eq!(limits(&net), [Limit::Application, Limit::Nagle]);
    net.run_ms(1000);
    assert_eq!(limits(&net), [Limit::Application, Limit::Nagle, Limit::Application]);
}

#[test]
fn a_paced_sender_is_limited_by_its_rate() {
    let mut net = net();
    let (client, _) = net.open();
    net.with_host(client.host, |host, now| {
        let option = tcpstack::host::SocketOption::MaxPacingRate(Some(100_000));
        host.set_option(now, client.id, option).unwrap();
    });
    net.send(client, &text(60_000)).unwrap();
    net.run_ms(200);
    assert_eq!(limits(&net).last(), Some(&Limit::Pacing));
}
