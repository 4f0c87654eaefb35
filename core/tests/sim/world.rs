//! The simulator itself: time, rules, captures.

use std::time::Duration;

use tcpstack::device::Impairment;
use tcpstack::sim::{Action, Conditions, Vantage, World, drop_nth};
use tcpstack::tcp::State;
use tcpstack::time::Instant;

use super::script::{DELAY_MS, at, net};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn without_anything_to_do_time_passes_to_the_limit() {
    let mut world = World::new(1);
    assert!(!world.step());
    assert!(!world.run_until(Duration::from_secs(5), |_| false));
    assert_eq!(world.now(), Instant::ZERO + Duration::from_secs(5));
}

#[test]
fn a_predicate_stops_the_time_where_it_holds() {
    let mut net = net();
    let client = net.connect_client();
    assert!(net.run_until(ms(1000), |world| world.state(client) == State::Established));
    assert_eq!(net.now_ms(), 2 * DELAY_MS);
}

#[test]
fn what_happens_at_the_limit_still_happens() {
    let mut net = net();
    let client = net.connect_client();
    net.run_for(ms(2 * DELAY_MS));
    assert_eq!(net.state(client), State::Established);
}

#[test]
fn a_packet_to_nowhere_is_counted() {
    let mut world = World::new(1);
    let host = world.add_host("alone", ["10.0.0.1".parse().unwrap()]);
    world.connect(host, at("10.9.9.9", 80)).unwrap();
    assert_eq!(world.unroutable(), 1);
}

#[test]
fn each_direction_has_its_own_conditions() {
    let mut world = World::new(1);
    let left = world.add_host("left", ["10.0.0.1".parse().unwrap()]);
    let right = world.add_host("right", ["10.0.0.2".parse().unwrap()]);
    let slow = Impairment { delay: ms(30), ..Impairment::NONE };
    let conditions = Conditions { forth: slow, back: Impairment::NONE };
    let link = world.link(left, right, conditions);
    world.listen(right, at("10.0.0.2", 80), 1).unwrap();
    let client = world.connect(left, at("10.0.0.2", 80)).unwrap();
    world.run_until(ms(1000), |world| world.state(client) == State::Established);
    assert_eq!(world.now(), Instant::ZERO + ms(30));

    world.set_impairment(link, left, Impairment::NONE);
    assert_eq!(world.host_named("right"), Some(right));
}

#[test]
fn rules_drop_delay_and_duplicate_single_packets() {
    let mut net = net();
    let mut count = 0;
    net.rule_for_client(move |packet| {
        count += u64::from(packet.is_syn());
        match (packet.is_syn(), count) {
            (true, 1) => Action::Drop,
            (true, 2) => Action::Delay(ms(100)),
            (true, _) => Action::Duplicate,
            (false, _) => Action::Pass,
        }
    });
    net.connect_client();
    let other = net.connect_to(80).unwrap();
    let third = net.connect_to(80).unwrap();
    net.run_ms(500);
    let arrivals = net.seen().iter().filter(|seen| {
        seen.vantage == Vantage::Arrival && seen.from == other.host && seen.packet.is_syn()
    });
    let arrivals: Vec<u64> = arrivals.map(|seen| seen.at.as_micros() / 1000).collect();
    assert_eq!(arrivals, [DELAY_MS, DELAY_MS, 100 + DELAY_MS]);
    assert_eq!(net.state(third), State::Established);
}

#[test]
fn the_first_rule_that_does_not_pass_decides() {
    let mut net = net();
    net.rule_for_client(|_| Action::Pass);
    net.rule_for_client(drop_nth(1, |packet| packet.is_syn()));
    net.rule_for_client(|_| Action::Duplicate);
    net.connect_client();
    net.run_ms(100);
    assert_eq!(net.flow(), ["client SYN lost"]);
}

#[test]
fn super_segments_are_split_on_a_link_with_a_capture() {
    let mut net = super::script::net_with(|config| config.gso_max = 65_000);
    let (client, server) = net.open();
    let sent = super::script::text(10 * 1460);
    net.send(client, &sent).unwrap();
    assert_eq!(net.sent(client.host).count(), 10);
    net.expect_text(server, &sent);
}

#[test]
fn three_hosts_talk_over_two_links() {
    let mut world = World::new(1);
    let hub = world.add_host("hub", ["10.0.0.1".parse().unwrap()]);
    let listener = world.listen(hub, at("10.0.0.1", 80), 8).unwrap();
    for number in 2..4 {
        let address = format!("10.0.0.{number}");
        let leaf = world.add_host(&address, [address.parse().unwrap()]);
        world.link(hub, leaf, ms(number));
        let client = world.connect(leaf, at("10.0.0.1", 80)).unwrap();
        world.run_for(ms(20));
        assert_eq!(world.state(client), State::Established);
        world.accept(listener).unwrap();
    }
}
