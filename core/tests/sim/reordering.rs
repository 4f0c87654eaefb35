//! Paths that let packets overtake each other and lose none: what that may cost, and what it may
//! not (RFC 8985 §3.3, §6.2; RFC 4015).

use std::time::Duration;

use tcpstack::device::Impairment;
use tcpstack::event::Kind;
use tcpstack::host::Error;
use tcpstack::sim::{Action, Packet, Socket};
use tcpstack::tcp::info::Info;

use super::script::{Net, net_with_knobs, text};

/// Both ends can fill the paths below.
const BUFFERS: [(&str, &str); 2] =
    [("tcp_rmem", "4096 2097152 2097152"), ("tcp_wmem", "4096 2097152 2097152")];

fn net_over(link: Impairment, control: &str) -> Net {
    let [rmem, wmem] = BUFFERS;
    let mut net = net_with_knobs(&[rmem, wmem, ("tcp_congestion_control", control)]);
    for host in [net.client_host, net.server_host] {
        let link_id = net.link;
        net.set_impairment(link_id, host, link);
    }
    net
}

/// Opens a connection over a path longer than the scripts' own.
fn open(net: &mut Net) -> (Socket, Socket) {
    let client = net.connect_client();
    net.run_ms(500);
    let server = net.accept_one().expect("the handshake is over");
    (client, server)
}

fn info(net: &mut Net, socket: Socket) -> Info {
    let Socket { host, id } = socket;
    net.with_host(host, |host, now| host.tcp_info(now, id)).expect("it is open")
}

/// Segments that both ends have sent again.
fn repeated(net: &Net) -> usize {
    let is_repeat =
        |kind: &Kind| matches!(kind, Kind::SegmentSent(segment) if segment.retransmission);
    net.count(net.client_host, is_repeat) + net.count(net.server_host, is_repeat)
}

/// A rule that holds back a segment with text by `held`: the ninth, which of the first ten only the
/// last can overtake, and then every seventh.
fn hold_every_seventh(held: Duration) -> impl FnMut(&Packet) -> Action + Send + 'static {
    let mut seen = 0;
    move |packet| {
        seen += u64::from(packet.has_text());
        let is_held = packet.has_text() && seen >= 9 && seen % 7 == 2;
        if is_held { Action::Delay(held) } else { Action::Pass }
    }
}

/// Each sender of `ways` sends `data`, and its receiver reads all that comes.
fn transfer(net: &mut Net, ways: &[(Socket, Socket)], data: &[u8]) {
    let mut ways: Vec<_> = ways.iter().map(|(from, to)| (*from, *to, 0, Vec::new())).collect();
    let is_done = net.drive(Duration::from_secs(600), |world| {
        for (from, to, sent, received) in &mut ways {
            match world.send(*from, &data[*sent..]) {
                Ok(taken) => *sent += taken,
                Err(Error::WouldBlock) => {}
                Err(error) => panic!("send: {error}"),
            }
            while received.len() < data.len()
                && let Ok(bytes) = world.recv(*to, 65_536)
            {
                received.extend(bytes);
            }
        }
        ways.iter().all(|(.., received)| received.len() == data.len())
    });
    assert!(is_done && ways.iter().all(|(.., received)| received == data));
}

#[test]
fn no_segment_is_sent_again_where_all_that_is_overtaken_arrives_within_racks_window() {
    // RFC 8985 §6.2: a quarter of the shortest round trip, 5 ms of 20; here what is overtaken comes
    // 4 ms late. Both directions, the whole transfer.
    for control in ["reno", "cubic", "bbr"] {
        let link = Impairment { delay: Duration::from_millis(10), ..Impairment::NONE };
        let mut net = net_over(link, control);
        let (client, server) = open(&mut net);
        net.rule_for_client(hold_every_seventh(Duration::from_millis(4)));
        net.rule_for_server(hold_every_seventh(Duration::from_millis(4)));
        transfer(&mut net, &[(client, server), (server, client)], &text(1_000_000));
        net.run_ms(1000);
        assert_eq!(repeated(&net), 0, "{control}");
        for end in [client, server] {
            assert!(info(&mut net, end).reordering > 3, "{control}: it was seen to reorder");
        }
    }
}

/// Nothing is lost; of a hundred packets two arrive half a round trip early.
fn hasty(rate: u64, rtt_ms: u64) -> Impairment {
    let delay = Duration::from_millis(rtt_ms / 2);
    Impairment { rate: Some(rate), delay, reorder: 0.02, ..Impairment::NONE }
}

#[test]
fn a_segment_that_overtakes_does_not_make_the_path_seem_shorter_than_it_is() {
    // RFC 8985 §6.2 step 1 and draft-ietf-ccwg-bbr §5.5.7 take a window of time and the rate's
    // volume from the shortest round trip: one hasty packet must not shrink both for so long.
    let mut net = net_over(hasty(10_000_000, 100), "cubic");
    let (link, server_host) = (net.link, net.server_host);
    let back = Impairment { delay: Duration::from_millis(50), ..Impairment::NONE };
    net.set_impairment(link, server_host, back);
    let (client, server) = open(&mut net);
    transfer(&mut net, &[(client, server)], &text(1_000_000));
    let info = info(&mut net, client);
    assert!(info.reordering > 3, "{}", info.reordering);
    assert!(info.min_rtt.unwrap() >= Duration::from_millis(100), "{:?}", info.min_rtt);
}

#[test]
fn a_path_that_reorders_by_half_a_round_trip_and_loses_nothing_is_filled_all_the_same() {
    // The window of RACK grows with the DSACKs (RFC 8985 §6.2 step 4), and what was reduced before
    // is given back (RFC 4015 §3.4).
    const RATE: u64 = 10_000_000;
    for control in ["reno", "cubic", "bbr"] {
        let mut net = net_over(hasty(RATE, 100), control);
        let (client, server) = open(&mut net);
        let (begun, data) = (net.now_ms(), text(3_000_000));
        transfer(&mut net, &[(client, server)], &data);
        let took_ms = net.now_ms() - begun;
        let used = data.len() as u64 * 8 * 1000 / took_ms * 100 / RATE;
        assert!(used >= 70, "{control}: {used} %");
        assert_eq!(info(&mut net, client).total_timeouts, 0, "{control}");
    }
}
