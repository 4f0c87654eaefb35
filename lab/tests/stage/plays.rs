//! The connections that the tests draw.

use tcpstack::event::{Reason, TimerName};
use tcpstack::tcp::State;
use tcpstack::wire::tcp::Flags;

use super::{Host, client, segment, server};

const ACK: Flags = Flags::ACK;
const PSH_ACK: Flags = Flags::PSH.union(Flags::ACK);
const FIN_ACK: Flags = Flags::FIN.union(Flags::ACK);
const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);

/// The handshake from `us` on with a flight of `flight` microseconds; returns its end. The
/// server's accept() and the client's connect() wait for it.
pub fn handshake(client: &mut Host, server: &mut Host, us: u64, flight: u64) -> u64 {
    let syn = segment(Flags::SYN, 0, 0);
    let syn_ack = segment(SYN_ACK, 0, 1);
    let ack = segment(ACK, 1, 1);
    server.calls(us, "socket", "AF_INET, SOCK_STREAM", "3");
    server.calls(us + 10, "bind", "3, 0.0.0.0:8080", "0");
    server.listens(us + 20);
    server.calls(us + 20, "listen", "3, 8", "0");
    let accept = server.waits(us + 30, "accept", "3");
    let us = us + 800;
    client.calls(us, "socket", "AF_INET, SOCK_STREAM", "3");
    let connect = client.waits(us + 10, "connect", "3, 10.7.0.1:8080");
    client.becomes(us + 12, State::SynSent, Reason::ActiveOpen);
    client.sends(us + 12, &syn, Reason::ActiveOpen);
    let us = us + 12 + flight;
    server.gets(us, &syn);
    server.becomes(us, State::SynReceived, Reason::PassiveOpen);
    server.sends(us, &syn_ack, Reason::PassiveOpen);
    let us = us + flight;
    client.gets(us, &syn_ack);
    client.becomes(us, State::Established, Reason::SynAcknowledged);
    client.sends(us, &ack, Reason::Acknowledge);
    client.returns(us + 15, connect, "connect", "0");
    let us = us + flight;
    server.gets(us, &ack);
    server.becomes(us, State::Established, Reason::HandshakeComplete);
    server.returns(us + 12, accept, "accept", "4");
    us + 20
}

/// `text` from the client and back, both numbers at 1 before; returns the end.
pub fn echo(client: &mut Host, server: &mut Host, us: u64, flight: u64, text: &[u8]) -> u64 {
    let len = text.len() as u64;
    let wait = server.waits(us, "recv", "4, buf, 1024");
    let there = segment(PSH_ACK, 1, 1).with(text);
    let back = segment(PSH_ACK, 1, 1 + len).with(text);
    client.calls(us + 20, "send", "3, buf, 13", &len.to_string());
    client.sends(us + 20, &there, Reason::NewData);
    let answer = client.waits(us + 30, "recv", "3, buf, 1024");
    let us = us + 20 + flight;
    server.gets(us, &there);
    server.returns(us + 10, wait, "recv", &len.to_string());
    server.calls(us + 20, "send", "4, buf, 13", &len.to_string());
    server.sends(us + 20, &back, Reason::NewData);
    let us = us + 20 + flight;
    client.gets(us, &back);
    client.returns(us + 10, answer, "recv", &len.to_string());
    us + 20
}

/// The client closes first, numbers at `from`; ends in TIME-WAIT.
pub fn close(client: &mut Host, server: &mut Host, us: u64, flight: u64, from: u64) -> u64 {
    let fin = segment(FIN_ACK, from, from);
    let ack = segment(ACK, from, from + 1);
    let fin_back = segment(FIN_ACK, from, from + 1);
    let last = segment(ACK, from + 1, from + 1);
    let wait = server.waits(us, "recv", "4, buf, 1024");
    client.calls(us + 5, "close", "3", "0");
    client.becomes(us + 5, State::FinWait1, Reason::ApplicationClosed);
    client.sends(us + 5, &fin, Reason::Fin);
    let us = us + 5 + flight;
    server.gets(us, &fin);
    server.becomes(us, State::CloseWait, Reason::FinReceived);
    server.sends(us, &ack, Reason::Acknowledge);
    server.returns(us + 10, wait, "recv", "0");
    client.gets(us + flight, &ack);
    client.becomes(us + flight, State::FinWait2, Reason::FinAcknowledged);
    server.calls(us + flight + 20, "close", "4", "0");
    server.becomes(us + flight + 20, State::LastAck, Reason::ApplicationClosed);
    server.sends(us + flight + 20, &fin_back, Reason::Fin);
    let us = us + 2 * flight + 20;
    client.gets(us, &fin_back);
    client.becomes(us, State::TimeWait, Reason::FinReceived);
    client.arms(us, TimerName::TimeWait, 60_000_000);
    client.sends(us, &last, Reason::Acknowledge);
    server.gets(us + flight, &last);
    server.becomes(us + flight, State::Closed, Reason::FinAcknowledged);
    us + flight
}

/// The flow of the notes: open, echo, the client closes first.
pub fn notes(flight: u64) -> Vec<Host> {
    let (mut client, mut server) = (client(), server());
    let us = handshake(&mut client, &mut server, 0, flight);
    let us = echo(&mut client, &mut server, us, flight, b"hello, world\n");
    close(&mut client, &mut server, us + 300, flight, 14);
    vec![server, client]
}

/// A burst over a link with a delay, its acknowledgment, and an idle second.
pub fn burst() -> Vec<Host> {
    let (mut client, mut server) = (client(), server());
    let us = handshake(&mut client, &mut server, 0, 20_000);
    let data = [b'x'; 1460];
    let pieces = [1, 1461, 2921].map(|seq| segment(ACK, seq, 1).with(&data));
    client.calls(us, "send", "3, buf, 4380", "4380");
    for (at, piece) in pieces.iter().enumerate() {
        client.sends(us + 4 * at as u64, piece, Reason::NewData);
        server.gets(us + 20_000 + 4 * at as u64, piece);
    }
    let ack = segment(ACK, 1, 4381);
    server.sends(us + 20_010, &ack, Reason::Acknowledge);
    client.gets(us + 40_010, &ack);
    close(&mut client, &mut server, us + 1_240_000, 20_000, 4381);
    vec![client, server]
}

/// The first data segment is lost and repeated when the timer fires.
pub fn loss() -> Vec<Host> {
    let (mut client, mut server) = (client(), server());
    let us = handshake(&mut client, &mut server, 0, 40);
    let data = segment(PSH_ACK, 1, 1).with(b"can you hear me?");
    let ack = segment(ACK, 1, 17);
    client.calls(us, "send", "3, buf, 16", "16");
    client.sends(us, &data, Reason::NewData);
    client.arms(us, TimerName::Retransmission, 200_000);
    client.fires(us + 200_000, TimerName::Retransmission);
    client.sends(us + 200_000, &data.clone().again(), Reason::TimeoutRetransmit);
    server.gets(us + 200_040, &data);
    server.sends(us + 200_040, &ack, Reason::Acknowledge);
    client.gets(us + 200_080, &ack);
    // The server's answer is lost too, for good.
    let answer = segment(PSH_ACK, 1, 17).with(b"yes");
    server.calls(us + 200_300, "send", "4, buf, 3", "3");
    server.sends(us + 200_300, &answer, Reason::NewData);
    vec![client, server]
}

/// Both close at once: the FINs cross.
pub fn simultaneous_close() -> Vec<Host> {
    let (mut client, mut server) = (client(), server());
    let us = handshake(&mut client, &mut server, 0, 40) + 100;
    let fin = segment(FIN_ACK, 1, 1);
    let ack = segment(ACK, 2, 2);
    let mut ends = [&mut client, &mut server];
    for (at, end) in ends.iter_mut().enumerate() {
        let us = us + 10 * at as u64;
        end.calls(us, "close", ["3", "4"][at], "0");
        end.becomes(us, State::FinWait1, Reason::ApplicationClosed);
        end.sends(us, &fin, Reason::Fin);
    }
    for (at, end) in ends.iter_mut().enumerate() {
        let us = us + 50 - 10 * at as u64;
        end.gets(us, &fin);
        end.becomes(us, State::Closing, Reason::FinReceived);
        end.sends(us, &ack, Reason::Acknowledge);
    }
    for (at, end) in ends.iter_mut().enumerate() {
        let us = us + 80 + 10 * at as u64;
        end.gets(us, &ack);
        end.becomes(us, State::TimeWait, Reason::FinAcknowledged);
        end.arms(us, TimerName::TimeWait, 60_000_000);
    }
    vec![client, server]
}

/// A hundred segments, each second one acknowledged.
pub fn bulk() -> Vec<Host> {
    let (mut client, mut server) = (client(), server());
    let mut us = handshake(&mut client, &mut server, 0, 40);
    let data = [0xAA; 1460];
    for number in 0..100 {
        let seq = 1 + 1460 * number;
        let piece = segment(ACK, seq, 1).with(&data);
        client.calls(us, "send", "3, buf, 1460", "1460");
        client.sends(us, &piece, Reason::NewData);
        server.gets(us + 40, &piece);
        server.calls(us + 45, "recv", "4, buf, 4096", "1460");
        if number % 2 == 1 {
            let ack = segment(ACK, 1, seq + 1460);
            server.sends(us + 50, &ack, Reason::Acknowledge);
            client.gets(us + 90, &ack);
        }
        us += 100;
    }
    close(&mut client, &mut server, us, 40, 146_001);
    vec![client, server]
}

/// Nobody listens: the SYN is answered by a reset.
pub fn refused() -> Vec<Host> {
    let (mut client, mut server) = (client(), server());
    let syn = segment(Flags::SYN, 0, 0);
    let reset = segment(Flags::RST | ACK, 0, 1);
    let connect = client.waits(0, "connect", "3, 10.7.0.1:8080");
    client.becomes(2, State::SynSent, Reason::ActiveOpen);
    client.sends(2, &syn, Reason::ActiveOpen);
    server.gets(42, &syn);
    server.sends(42, &reset, Reason::NoSuchConnection);
    client.gets(82, &reset);
    client.becomes(82, State::Closed, Reason::Refused);
    client.returns(90, connect, "connect", "ECONNREFUSED");
    vec![client, server]
}
