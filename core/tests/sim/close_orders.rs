//! How connections end, in every order (RFC 9293 §3.6, §3.10.4, §3.10.7.4).

use std::time::Duration;

use tcpstack::host::{Error, Readiness, Shutdown};
use tcpstack::sim::{drop_all, drop_nth};
use tcpstack::tcp::State;

use super::script::{DELAY_MS, Net, is_reset, net, text};

/// Both ends are CLOSED and forgotten.
#[track_caller]
fn expect_all_forgotten(net: &Net) {
    assert_eq!(net.orphan_state(net.client_host), None);
    assert_eq!(net.orphan_state(net.server_host), None);
}

#[track_caller]
fn expect_orphans(net: &Net, client: State, server: State) {
    let states = [net.orphan_state(net.client_host), net.orphan_state(net.server_host)];
    assert_eq!(states, [Some(client), Some(server)]);
}

#[test]
fn the_client_closes_first() {
    let mut net = net();
    let (client, server) = net.open();
    net.close(client).unwrap();
    expect_orphans(&net, State::FinWait1, State::Established);
    net.run_ms(DELAY_MS);
    expect_orphans(&net, State::FinWait1, State::CloseWait);
    net.run_ms(DELAY_MS);
    expect_orphans(&net, State::FinWait2, State::CloseWait);
    assert_eq!(net.recv(server, 10).unwrap(), b"");
    net.close(server).unwrap();
    expect_orphans(&net, State::FinWait2, State::LastAck);
    net.run_ms(DELAY_MS);
    expect_orphans(&net, State::TimeWait, State::LastAck);
    net.run_ms(DELAY_MS);
    assert_eq!(net.orphan_state(net.server_host), None);
    assert_eq!(net.flow(), ["client FIN|ACK", "server ACK", "server FIN|ACK", "client ACK"]);
    net.run_for(Duration::from_secs(60));
    expect_all_forgotten(&net);
}

#[test]
fn the_server_closes_first() {
    let mut net = net();
    let (client, server) = net.open();
    net.send(server, b"goodbye").unwrap();
    net.close(server).unwrap();
    net.run_ms(2 * DELAY_MS);
    expect_orphans(&net, State::CloseWait, State::FinWait2);
    assert_eq!(net.recv(client, 10).unwrap(), b"goodbye");
    assert_eq!(net.recv(client, 10).unwrap(), b"");
    net.close(client).unwrap();
    net.run_ms(2 * DELAY_MS);
    assert_eq!(net.orphan_state(net.client_host), None);
    assert_eq!(net.orphan_state(net.server_host), Some(State::TimeWait));
    net.run_for(Duration::from_secs(60));
    expect_all_forgotten(&net);
}

#[test]
fn both_close_at_once_and_the_fins_cross() {
    let mut net = net();
    let (client, server) = net.open();
    net.close(client).unwrap();
    net.close(server).unwrap();
    expect_orphans(&net, State::FinWait1, State::FinWait1);
    net.run_ms(DELAY_MS);
    expect_orphans(&net, State::Closing, State::Closing);
    net.run_ms(DELAY_MS);
    expect_orphans(&net, State::TimeWait, State::TimeWait);
    assert_eq!(net.flow(), ["client FIN|ACK", "server FIN|ACK", "server ACK", "client ACK"]);
    net.run_for(Duration::from_secs(60));
    expect_all_forgotten(&net);
}

#[test]
fn both_close_at_once_with_text_and_both_read_it() {
    let mut net = net();
    let (client, server) = net.open();
    net.send(client, b"from the client").unwrap();
    net.send(server, b"from the server").unwrap();
    net.shutdown(client, Shutdown::Write).unwrap();
    net.shutdown(server, Shutdown::Write).unwrap();
    net.run_ms(2 * DELAY_MS);
    assert_eq!(net.states(client, server), [State::TimeWait; 2]);
    assert_eq!(net.recv(server, 100).unwrap(), b"from the client");
    assert_eq!(net.recv(client, 100).unwrap(), b"from the server");
    assert_eq!(net.recv(server, 100).unwrap(), b"");
    assert_eq!(net.recv(client, 100).unwrap(), b"");
}

#[test]
fn a_fin_that_answers_a_fin_may_bring_its_acknowledgment_along() {
    let mut net = net();
    let (client, server) = net.open();
    net.close(client).unwrap();
    // The server's ACK of the FIN is lost, its own FIN acknowledges as well: FIN-WAIT-1 to TIME-WAIT.
    net.rule_for_server(drop_nth(1, |packet| packet.is_bare_ack()));
    net.run_ms(DELAY_MS);
    net.close(server).unwrap();
    net.run_ms(DELAY_MS);
    expect_orphans(&net, State::TimeWait, State::LastAck);
    net.run_ms(DELAY_MS);
    assert_eq!(net.orphan_state(net.server_host), None);
}

#[test]
fn the_closer_still_receives_in_fin_wait_2() {
    let mut net = net();
    let (client, server) = net.open();
    net.send(client, b"the question").unwrap();
    net.shutdown(client, Shutdown::Write).unwrap();
    net.run_ms(2 * DELAY_MS);
    assert_eq!(net.states(client, server), [State::FinWait2, State::CloseWait]);
    assert_eq!(net.recv(server, 100).unwrap(), b"the question");
    assert_eq!(net.recv(server, 100).unwrap(), b"");

    // A long answer, over several minutes: no timer of the closer's ends the connection.
    let answer = text(3_000_000);
    for part in answer.chunks(500_000) {
        net.send_all(server, part);
        net.expect_text(client, part);
        net.run_for(Duration::from_secs(90));
        assert_eq!(net.states(client, server), [State::FinWait2, State::CloseWait]);
    }
    net.close(server).unwrap();
    net.run_ms(2 * DELAY_MS);
    assert_eq!(net.recv(client, 10).unwrap(), b"");
    assert_eq!(net.state(client), State::TimeWait);
    assert_eq!(net.send(client, b"late"), Err(Error::BrokenPipe));
}

#[test]
fn an_orphan_in_fin_wait_2_is_forgotten_after_a_minute() {
    let mut net = net();
    let (client, server) = net.open();
    net.close(client).unwrap();
    net.run_ms(2 * DELAY_MS);
    expect_orphans(&net, State::FinWait2, State::CloseWait);
    net.run_ms(59_999);
    assert_eq!(net.orphan_state(net.client_host), Some(State::FinWait2));
    net.run_ms(1);
    assert_eq!(net.orphan_state(net.client_host), None);
    // The server, still open, then learns it by a reset.
    net.send(server, b"are you there?").unwrap();
    net.run_ms(2 * DELAY_MS);
    assert_eq!(net.send(server, b"?"), Err(Error::BrokenPipe));
}

#[test]
fn sending_to_a_peer_that_has_gone_works_once_and_then_is_a_broken_pipe() {
    let mut net = net();
    let (client, server) = net.open();
    net.close(client).unwrap();
    net.run_ms(2 * DELAY_MS);
    assert_eq!(net.send(server, b"first").unwrap(), 5);
    assert_eq!(net.send(server, b"second").unwrap(), 6); // the reset is still on its way
    net.run_ms(2 * DELAY_MS);
    assert!(net.readiness(server).contains(Readiness::ERR | Readiness::HUP));
    assert_eq!(net.send(server, b"third"), Err(Error::BrokenPipe));
    assert_eq!(net.send(server, b"fourth"), Err(Error::BrokenPipe));
    assert_eq!(net.recv(server, 10).unwrap(), b"");
    // The second one waited behind the first (Nagle), and was never sent.
    let expected = ["client FIN|ACK", "server ACK", "server PSH|ACK 5", "client RST"];
    assert_eq!(net.flow(), expected);
    assert_eq!(net.orphan_state(net.client_host), None);
}

#[test]
fn a_lost_last_ack_is_sent_again_for_the_repeated_fin_and_time_wait_starts_anew() {
    let mut net = net();
    let (client, server) = net.open();
    net.close(client).unwrap();
    net.run_ms(2 * DELAY_MS);
    net.rule_for_client(drop_nth(1, |packet| packet.is_bare_ack()));
    net.close(server).unwrap();
    net.run_ms(2 * DELAY_MS);
    expect_orphans(&net, State::TimeWait, State::LastAck);

    // A round trip of 20 ms and the margin of 200 ms.
    let fins = net.times_ms(net.server_host, |packet| packet.is_fin());
    net.run_ms(220 + DELAY_MS);
    let again = net.times_ms(net.server_host, |packet| packet.is_fin());
    assert_eq!(again, [fins[0], fins[0] + 220]);
    assert_eq!(net.flow().last().unwrap(), "client ACK");
    net.run_ms(DELAY_MS);
    assert_eq!(net.orphan_state(net.server_host), None);

    // 2 MSL count from the second FIN's arrival.
    let second_arrival = again[1] + DELAY_MS;
    let rest = second_arrival + 60_000 - net.now_ms();
    net.run_ms(rest - 1);
    assert_eq!(net.orphan_state(net.client_host), Some(State::TimeWait));
    net.run_ms(1);
    expect_all_forgotten(&net);
}

#[test]
fn a_lost_fin_is_sent_again() {
    let mut net = net();
    let (client, server) = net.open();
    net.rule_for_client(drop_nth(1, |packet| packet.is_fin()));
    net.close(client).unwrap();
    net.run_ms(220 + DELAY_MS);
    expect_orphans(&net, State::FinWait1, State::CloseWait);
    assert_eq!(net.recv(server, 10).unwrap(), b"");
}

#[test]
fn a_lost_ack_of_a_fin_brings_the_fin_again() {
    let mut net = net();
    let (client, _) = net.open();
    net.rule_for_server(drop_nth(1, |packet| packet.is_bare_ack()));
    net.close(client).unwrap();
    net.run_ms(1000);
    expect_orphans(&net, State::FinWait2, State::CloseWait);
    assert_eq!(net.flow(), ["client FIN|ACK", "server ACK lost", "client FIN|ACK", "server ACK"]);
}

#[test]
fn crossed_fins_of_which_both_are_lost_still_close() {
    let mut net = net();
    let (client, server) = net.open();
    net.rule_for_client(drop_nth(1, |packet| packet.is_fin()));
    net.rule_for_server(drop_nth(1, |packet| packet.is_fin()));
    net.close(client).unwrap();
    net.close(server).unwrap();
    net.run_for(Duration::from_secs(62));
    expect_all_forgotten(&net);
}

#[test]
fn a_fin_that_overtakes_its_text_waits_for_it() {
    let mut net = net();
    let (client, server) = net.open();
    net.rule_for_client(drop_nth(1, |packet| packet.has_text()));
    let sent = text(1460 + 100);
    net.send(client, &sent).unwrap();
    net.close(client).unwrap();
    net.run_ms(2 * DELAY_MS);
    assert_eq!(net.state(server), State::Established);
    assert_eq!(net.recv(server, 10), Err(Error::WouldBlock));
    net.run_ms(1000);
    assert_eq!(net.state(server), State::CloseWait);
    net.expect_text(server, &sent);
    assert_eq!(net.recv(server, 10).unwrap(), b"");
}

#[test]
fn all_text_arrives_before_the_fin_of_a_close() {
    let mut net = net();
    let (client, server) = net.open();
    let sent = text(500_000);
    net.send_all(client, &sent);
    net.close(client).unwrap();
    net.expect_text(server, &sent);
    net.run_ms(1000);
    assert_eq!(net.recv(server, 10).unwrap(), b"");
    expect_orphans(&net, State::FinWait2, State::CloseWait);
}

#[test]
fn closing_with_unread_text_is_an_abort() {
    // RFC 2525 §2.17
    let mut net = net();
    let (client, server) = net.open();
    net.send(client, b"never read").unwrap();
    net.run_ms(2 * DELAY_MS);
    net.close(server).unwrap();
    assert_eq!(net.orphan_state(net.server_host), None);
    net.run_ms(DELAY_MS);
    assert_eq!(net.recv(client, 10), Err(Error::Reset));
    assert_eq!(net.recv(client, 10).unwrap(), b"");
    assert_eq!(net.send(client, b"x"), Err(Error::BrokenPipe));
}

#[test]
fn text_for_a_closed_application_is_answered_with_a_reset() {
    let mut net = net();
    let (client, server) = net.open();
    net.close(server).unwrap();
    net.send(client, b"crossing the fin").unwrap();
    net.run_ms(3 * DELAY_MS);
    assert!(net.sent(net.server_host).any(|seen| is_reset(&seen.packet)));
    assert_ne!(net.state(client), State::Established);
}

#[test]
fn a_peer_that_vanished_is_given_up_by_an_orphan() {
    let mut net = net();
    let (client, _) = net.open();
    net.close(client).unwrap();
    net.cut();
    net.run_for(Duration::from_secs(3600));
    assert_eq!(net.orphan_state(net.client_host), None);
    // The FIN, the tail loss probe, and tcp_orphan_retries of 8.
    assert_eq!(net.times_ms(net.client_host, |packet| packet.is_fin()).len(), 10);
}

#[test]
fn a_fin_behind_a_closed_window_is_probed_for() {
    let mut net = super::script::net_with_knobs(&[("tcp_rmem", "4096 8192 8192")]);
    let (client, server) = net.open();
    let sent = text(9000);
    net.send(client, &sent).unwrap();
    net.run_ms(1000);
    assert_eq!(net.last_sent(net.server_host).window(), 0);
    net.close(client).unwrap();
    net.run_for(Duration::from_secs(100));
    assert_eq!(net.orphan_state(net.client_host), Some(State::FinWait1));
    net.expect_text(server, &sent);
    net.run_for(Duration::from_secs(200));
    assert_eq!(net.recv(server, 10).unwrap(), b"");
    assert_eq!(net.orphan_state(net.client_host), None); // FIN-WAIT-2 and its minute are over
}

#[test]
fn a_fin_alone_is_taken_by_a_closed_window() {
    let mut net = super::script::net_with_knobs(&[("tcp_rmem", "4096 8192 8192")]);
    let (client, server) = net.open();
    let sent = text(8192);
    net.send_all(client, &sent);
    net.run_ms(100);
    assert_eq!(net.last_sent(net.server_host).window(), 0);
    net.shutdown(client, Shutdown::Write).unwrap();
    net.run_ms(1000);
    assert_eq!(net.states(client, server), [State::FinWait2, State::CloseWait]);
    net.expect_text(server, &sent);
    assert_eq!(net.recv(server, 10).unwrap(), b"");
}

#[test]
fn data_sent_before_the_peers_fin_arrives_is_not_lost() {
    let mut net = net();
    let (client, server) = net.open();
    net.shutdown(server, Shutdown::Write).unwrap();
    net.run_ms(5);
    net.send(client, b"crossing").unwrap();
    net.run_ms(100);
    assert_eq!(net.recv(server, 100).unwrap(), b"crossing");
    assert_eq!(net.states(client, server), [State::CloseWait, State::FinWait2]);
}

#[test]
fn closing_a_listener_resets_those_that_nobody_accepted() {
    let mut net = net();
    let client = net.connect_client();
    net.run_ms(3 * DELAY_MS);
    let listener = net.listener;
    net.close(listener).unwrap();
    assert_eq!(net.orphan_state(net.server_host), None);
    net.run_ms(DELAY_MS);
    assert_eq!(net.recv(client, 10), Err(Error::Reset));
}

#[test]
fn every_packet_of_a_close_lost_once_still_closes_in_order() {
    // Whichever one packet of the close is lost, the outcome is the same.
    for lost in 1..=4 {
        let mut net = net();
        let (client, server) = net.open();
        let mut seen = 0;
        let counter = std::sync::Arc::new(std::sync::Mutex::new(0));
        for is_client in [true, false] {
            let counter = counter.clone();
            let rule = drop_all(move |_| {
                let mut count = counter.lock().unwrap();
                *count += 1;
                *count == lost
            });
            if is_client { net.rule_for_client(rule) } else { net.rule_for_server(rule) }
        }
        net.close(client).unwrap();
        net.drive(Duration::from_secs(10), |world| {
            seen += usize::from(world.recv(server, 10).is_ok_and(|bytes| bytes.is_empty()));
            seen > 0
        });
        assert_eq!(seen, 1, "packet {lost} lost: the end of the stream is not seen");
        net.close(server).unwrap();
        net.run_for(Duration::from_secs(70));
        expect_all_forgotten(&net);
        assert!(net.seen().iter().all(|seen| !is_reset(&seen.packet)), "packet {lost} lost");
    }
}
