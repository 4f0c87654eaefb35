//! TIME-WAIT: how long, what it answers, and what may replace it (RFC 9293 §3.6.1, RFC 6056).

use std::collections::BTreeSet;
use std::time::Duration;

use tcpstack::host::Error;
use tcpstack::sim::Socket;
use tcpstack::tcp::State;
use tcpstack::wire::tcp::Flags;

use super::script::{CLIENT, DELAY_MS, Net, SERVER, at, net, net_with_knobs};

/// Opens, lets the client close first, and the server after it: the client is in TIME-WAIT since now.
fn time_wait(net: &mut Net) {
    let (client, server) = net.open();
    net.close(client).unwrap();
    net.run_ms(2 * DELAY_MS);
    net.close(server).unwrap();
    net.run_ms(DELAY_MS);
    assert_eq!(net.orphan_state(net.client_host), Some(State::TimeWait));
}

#[test]
fn it_lasts_two_msl_to_the_nanosecond() {
    // RFC 9293 §3.6.1 (MUST-13).
    for (msl, two_msl_ms) in [("30000", 60_000), ("120000", 240_000), ("1", 2)] {
        let mut net = net_with_knobs(&[("tcp_msl_ms", msl)]);
        time_wait(&mut net);
        net.run_for(Duration::from_millis(two_msl_ms) - Duration::from_nanos(1));
        assert_eq!(net.orphan_state(net.client_host), Some(State::TimeWait));
        net.run_for(Duration::from_nanos(1));
        assert_eq!(net.orphan_state(net.client_host), None);
    }
}

#[test]
fn only_the_one_who_closes_first_waits() {
    let mut net = net();
    time_wait(&mut net);
    net.run_ms(DELAY_MS);
    assert_eq!(net.orphan_state(net.server_host), None);
}

#[test]
fn another_connection_to_the_same_server_takes_another_port() {
    let mut net = net();
    time_wait(&mut net);
    let old = net.host(net.client_host).connections()[0].local;
    let client = net.connect_client();
    assert_ne!(net.host(net.client_host).local_addr(client.id).unwrap(), old);
}

#[test]
fn ports_come_back_when_it_is_over() {
    let mut net = net_with_knobs(&[("ip_local_port_range", "50000 50002")]);
    let mut ports = BTreeSet::new();
    let mut open_and_close = |net: &mut Net| {
        let client = net.connect_client();
        ports.insert(net.host(client.host).local_addr(client.id).unwrap().port());
        net.run_ms(3 * DELAY_MS);
        let server = net.accept_one().unwrap();
        net.close(client).unwrap();
        net.run_ms(2 * DELAY_MS);
        net.close(server).unwrap();
        net.run_ms(2 * DELAY_MS);
    };
    for _ in 0..3 {
        open_and_close(&mut net);
    }
    assert_eq!(net.connect_to(80), Err(Error::AddressNotAvailable));
    net.run_for(Duration::from_secs(60));
    for _ in 0..3 {
        open_and_close(&mut net);
    }
    assert_eq!(ports, BTreeSet::from([50_000, 50_001, 50_002]));
}

/// Opens from a fixed client port.
fn open_from(net: &mut Net, port: u16) -> Result<(Socket, Socket), Error> {
    let host = net.client_host;
    let client = net.bound(host, at(CLIENT, port));
    net.connect_socket(client, at(SERVER, 80))?;
    net.run_ms(3 * DELAY_MS);
    Ok((client, net.accept_one()?))
}

#[test]
fn the_server_in_time_wait_takes_a_new_syn_from_the_same_port() {
    // RFC 9293 §3.6.1 (MAY-2).
    let mut net = net();
    let (client, server) = open_from(&mut net, 5000).unwrap();
    net.close(server).unwrap();
    net.run_ms(2 * DELAY_MS);
    net.close(client).unwrap();
    net.run_ms(2 * DELAY_MS);
    assert_eq!(net.orphan_state(net.server_host), Some(State::TimeWait));

    // The ISS has grown with time (RFC 6528), so the SYN lies beyond the old numbers (MAY-2).
    net.run_ms(1000);
    let (client, server) = open_from(&mut net, 5000).unwrap();
    net.send(client, b"again").unwrap();
    net.run_ms(DELAY_MS);
    assert_eq!(net.recv(server, 10).unwrap(), b"again");
}

#[test]
fn an_old_segment_is_answered_and_does_not_end_it() {
    let mut net = net_with_knobs(&[("tcp_timestamps", "0")]);
    time_wait(&mut net);
    net.run_ms(DELAY_MS);
    let fin = net.last_sent(net.server_host);
    assert!(fin.is_fin());
    net.mark();
    // A stray repetition of text from before.
    net.forge_to_client(
        &fin,
        |header| {
            header.flags = Flags::ACK;
            header.seq = header.seq.wrapping_sub(5);
        },
        b"stray",
    );
    assert_eq!(net.flow(), ["client ACK"]);
    assert_eq!(net.orphan_state(net.client_host), Some(State::TimeWait));
}

#[test]
fn an_old_syn_does_not_replace_it() {
    let mut net = net();
    let (client, server) = open_from(&mut net, 5000).unwrap();
    net.close(server).unwrap();
    net.run_ms(2 * DELAY_MS);
    let syn = net.captured(net.link)[0].packet.clone();
    net.close(client).unwrap();
    net.run_ms(2 * DELAY_MS);
    net.mark();
    net.forge_to_server(&syn, |_| {}, b"");
    assert_eq!(net.orphan_state(net.server_host), Some(State::TimeWait));
    assert_eq!(net.flow(), ["server ACK"]);
}
