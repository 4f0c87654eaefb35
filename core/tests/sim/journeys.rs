//! What becomes of each packet of a link, and which events tell of it.

use std::time::Duration;

use tcpstack::device::Impairment;
use tcpstack::event::{Event, Kind};
use tcpstack::sim::{Action, Fate, HostId, Journey, REORDER_WAIT, World, at_number};
use tcpstack::time::Instant;

use super::script::{DELAY_MS, Net, at, net, text};

/// The journeys of what `from` sent.
fn of(net: &Net, from: HostId) -> Vec<Journey> {
    net.journeys(net.link).iter().filter(|journey| journey.from == from).cloned().collect()
}

fn event<'a>(world: &'a World, host: &str, index: Option<u64>) -> &'a Event {
    let is_it = |event: &&Event| &*event.host == host && Some(event.index) == index;
    world.events().iter().find(is_it).expect("the journey names an event")
}

#[test]
fn a_journey_names_the_events_of_its_departure_and_arrival() {
    let mut net = net();
    let (client, _) = net.open();
    net.send(client, b"hello").unwrap();
    net.run_ms(1000);
    assert!(net.journeys(net.link).len() >= 5);
    for journey in net.journeys(net.link) {
        let (from, to) = match journey.from == net.client_host {
            true => ("client", "server"),
            false => ("server", "client"),
        };
        let sent = event(&net, from, journey.sent);
        let received = event(&net, to, journey.received);
        let (Kind::SegmentSent(left), Kind::SegmentReceived(came)) = (&sent.kind, &received.kind)
        else {
            panic!("{sent:?} {received:?}");
        };
        assert_eq!((left.seq, &left.flags, left.len), (came.seq, &came.flags, came.len));
        assert_eq!(sent.time_ns, journey.sent_at.as_nanos());
        assert_eq!(Some(Instant::from_nanos(received.time_ns)), journey.arrived_at);
        assert_eq!((journey.fate, journey.rule), (Fate::Arrived, None));
    }
    let numbers: Vec<u64> = of(&net, net.client_host).iter().map(|j| j.number).collect();
    assert_eq!(numbers, [1, 2, 3]); // SYN, ACK, "hello"
}

#[test]
fn a_journey_names_the_rule_that_met_its_packet() {
    let mut net = net();
    let client_host = net.client_host;
    net.rule_for_client(|_| Action::Pass);
    let link = net.link;
    let drop = net.add_rule(link, client_host, at_number(1, Action::Drop));
    let delay =
        net.add_rule(link, client_host, at_number(2, Action::Delay(Duration::from_millis(3))));
    assert_eq!((drop, delay), (1, 2));
    net.connect_client();
    net.run_ms(2000);
    let journeys = of(&net, client_host);
    assert_eq!((journeys[0].fate, journeys[0].rule), (Fate::Dropped, Some(drop)));
    assert_eq!((journeys[0].arrived_at, journeys[0].received), (None, None));
    assert_eq!((journeys[1].fate, journeys[1].rule), (Fate::Arrived, Some(delay)));
    let took = journeys[1].arrived_at.unwrap().saturating_since(journeys[1].sent_at);
    assert_eq!(took, Duration::from_millis(3 + DELAY_MS));
    assert_eq!((journeys[2].fate, journeys[2].rule), (Fate::Arrived, None));
}

#[test]
fn a_reply_that_belongs_to_no_connection_is_known_by_its_event() {
    let mut net = net();
    net.connect_to(81).unwrap();
    net.run_ms(100);
    let reset = &of(&net, net.server_host)[0];
    let Kind::SegmentSent(record) = &event(&net, "server", reset.sent).kind else { panic!() };
    assert_eq!(record.flags, "RST|ACK");
}

#[test]
fn a_packet_sent_twice_by_a_rule_has_two_journeys() {
    let mut net = net();
    let (link, client_host) = (net.link, net.client_host);
    net.add_rule(link, client_host, at_number(3, Action::Duplicate));
    let (client, _) = net.open();
    net.send(client, b"hello").unwrap();
    net.run_ms(1000);
    let journeys = of(&net, client_host);
    let twice = &journeys[2..4];
    assert_eq!(
        twice.iter().map(|j| (j.number, j.fate, j.is_copy)).collect::<Vec<_>>(),
        [(3, Fate::Arrived, false), (3, Fate::Duplicate, true),]
    );
    assert_eq!(twice[0].sent, twice[1].sent);
    assert_ne!(twice[0].received, twice[1].received);
}

#[test]
fn a_flipped_bit_is_refused_by_the_checksum_and_sent_again() {
    for bit in [0, 100, 160, 8 * 32 + 3, u64::MAX] {
        let mut net = net();
        let (link, client_host) = (net.link, net.client_host);
        net.add_rule(link, client_host, at_number(3, Action::Corrupt { bit }));
        let (client, server) = net.open();
        net.send(client, b"hello").unwrap();
        net.expect_text(server, b"hello");
        let damaged = of(&net, client_host)[2].clone();
        assert_eq!((damaged.number, damaged.fate), (3, Fate::Damaged), "bit {bit}");
        let Kind::PacketDropped { counter, .. } = &event(&net, "server", damaged.received).kind
        else {
            panic!("bit {bit}: {:?}", event(&net, "server", damaged.received));
        };
        assert!(["tcp_checksum", "tcp_length"].contains(&&**counter), "bit {bit}: {counter}");
    }
}

/// The sum of RFC 9293 §3.1 does not notice that a bit has moved to the same place of another word.
#[test]
fn two_flipped_bits_can_cancel_each_other() {
    let mut net = net();
    let (link, client_host) = (net.link, net.client_host);
    // Behind 32 bytes of header: h becomes i, and o becomes n.
    for bit in [32 * 8 + 7, 36 * 8 + 7] {
        net.add_rule(link, client_host, at_number(3, Action::Corrupt { bit }));
    }
    let (client, server) = net.open();
    net.send(client, b"hello").unwrap();
    net.expect_text(server, b"ielln");
    assert_eq!(of(&net, client_host)[2].fate, Fate::Damaged);
}

#[test]
fn a_bit_that_is_flipped_twice_is_as_it_was() {
    let mut net = net();
    let (link, client_host) = (net.link, net.client_host);
    for _ in 0..2 {
        net.add_rule(link, client_host, at_number(3, Action::Corrupt { bit: 32 * 8 + 7 }));
    }
    let (client, server) = net.open();
    net.send(client, b"hello").unwrap();
    net.expect_text(server, b"hello");
    let journey = &of(&net, client_host)[2];
    assert_eq!((journey.fate, journey.rule.is_some()), (Fate::Arrived, true));
}

#[test]
fn bits_are_counted_from_the_highest_bit_of_the_tcp_headers_first_byte() {
    let mut net = net();
    let (link, client_host) = (net.link, net.client_host);
    // Bits 106 to 111 are the flags URG to FIN: RFC 9293 §3.1.
    net.add_rule(link, client_host, at_number(1, Action::Corrupt { bit: 110 }));
    net.connect_client();
    net.run_ms(50);
    let [sent, came] = [0, 1].map(|at| net.captured(net.link)[at].packet.clone());
    assert_eq!((sent.number, came.number), (1, 1));
    assert!(sent.is_syn() && !came.is_syn());
    assert_eq!(sent.seq(), came.seq());
}

#[test]
fn a_reordered_packet_follows_the_next_one() {
    let mut net = net();
    let (link, client_host) = (net.link, net.client_host);
    net.add_rule(link, client_host, at_number(3, Action::Reorder));
    net.add_rule(link, client_host, at_number(4, Action::Reorder));
    let (client, server) = net.open();
    let sent = text(3 * 1460);
    net.send(client, &sent).unwrap();
    net.expect_text(server, &sent);
    let mut order = of(&net, client_host);
    order.retain(|journey| (3..=5).contains(&journey.number));
    let arrivals: Vec<_> = order.iter().map(|j| (j.received, j.number)).collect();
    assert!(arrivals[2].0 < arrivals[0].0 && arrivals[0].0 < arrivals[1].0, "{arrivals:?}");
    assert!(order.iter().all(|journey| journey.fate == Fate::Arrived));
}

#[test]
fn a_reordered_packet_that_nothing_follows_is_only_late() {
    let mut net = net();
    let (link, client_host) = (net.link, net.client_host);
    net.add_rule(link, client_host, at_number(1, Action::Reorder));
    net.connect_client();
    net.run_ms(500);
    let late = &of(&net, client_host)[0];
    let took = late.arrived_at.unwrap().saturating_since(late.sent_at);
    assert_eq!(took, REORDER_WAIT + Duration::from_millis(DELAY_MS));
}

#[test]
fn what_chance_does_to_each_packet_is_known() {
    let bad = Impairment {
        loss: 0.05,
        duplicate: 0.05,
        corrupt: 0.05,
        reorder: 0.1,
        rate: Some(2_000_000),
        limit: 3,
        delay: Duration::from_millis(10),
        ..Impairment::NONE
    };
    let mut world = World::new(super::script::seed());
    world.start_recording();
    let left = world.add_host("left", ["10.0.0.1".parse().unwrap()]);
    let right = world.add_host("right", ["10.0.0.2".parse().unwrap()]);
    let link = world.link(left, right, bad);
    let listener = world.listen(right, at("10.0.0.2", 80), 1).unwrap();
    let client = world.connect(left, at("10.0.0.2", 80)).unwrap();
    let sent = text(300_000);
    let (mut unsent, mut server, mut received) = (&sent[..], None, 0);
    world.drive(Duration::from_secs(600), |world| {
        if let Ok(taken) = world.send(client, unsent) {
            unsent = &unsent[taken..];
        }
        server = server.or_else(|| world.accept(listener).ok());
        let came = server.and_then(|server| world.recv(server, usize::MAX).ok());
        received += came.map_or(0, |bytes| bytes.len());
        received == sent.len()
    });
    world.run_for(Duration::from_secs(10));

    let journeys = world.journeys(link);
    let count = |fate| journeys.iter().filter(|journey| journey.fate == fate).count();
    for fate in [Fate::Arrived, Fate::Damaged, Fate::Duplicate, Fate::Lost, Fate::Overflowed] {
        assert!(count(fate) > 0, "no packet {fate}");
    }
    assert_eq!((count(Fate::Underway), count(Fate::Dropped)), (0, 0));
    let arrivals = world.events().iter().filter(|event| match &event.kind {
        Kind::SegmentReceived(_) => true,
        Kind::PacketDropped { counter, .. } => ["tcp_checksum", "tcp_length"].contains(&&**counter),
        _ => false,
    });
    let arrived = journeys.iter().filter(|journey| journey.received.is_some()).count();
    assert_eq!(arrivals.count(), arrived);
    for journey in journeys {
        let host = if journey.to == left { "left" } else { "right" };
        let is_refused = journey.fate == Fate::Damaged;
        let has_arrived = matches!(journey.fate, Fate::Arrived | Fate::Duplicate) || is_refused;
        assert_eq!(has_arrived, journey.received.is_some(), "{journey:?}");
        if let Some(index) = journey.received {
            let told = event(&world, host, Some(index));
            assert_eq!(is_refused, matches!(told.kind, Kind::PacketDropped { .. }), "{told:?}");
        }
        assert!(journey.sent.is_some());
    }
}

#[test]
fn numbers_go_on_over_all_links_of_a_host() {
    let mut world = World::new(1);
    let hub = world.add_host("hub", ["10.0.0.1".parse().unwrap()]);
    let mut links = Vec::new();
    for number in 2..4 {
        let address = format!("10.0.0.{number}");
        let leaf = world.add_host(&address, [address.parse().unwrap()]);
        links.push(world.link(hub, leaf, Duration::from_millis(1)));
        world.start_capture(links[links.len() - 1]);
        world.connect(hub, at(&address, 80)).unwrap();
    }
    let journeys = links.iter().flat_map(|link| world.journeys(*link));
    assert_eq!(journeys.map(|journey| journey.number).collect::<Vec<_>>(), [1, 2]);
}
