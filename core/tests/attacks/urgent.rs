//! Urgent pointers that point anywhere (RFC 6093; RFC 9293 §3.8.5).

use tcpstack::tcp::State;
use tcpstack::wire::tcp::{Flags, Header};

use super::victim::Victim;

#[test]
fn an_urgent_pointer_is_never_taken_for_a_length() {
    // RFC 9293 §3.8.5 (MUST-30): it names a place, and moves neither windows nor bytes.
    let mut victim = Victim::new(&[]);
    let mut line = victim.open_usual(4000);
    victim.take_work();
    let mut taken = 0;
    for i in 0..4000_u32 {
        let urgent = [0, 1, 2, 3, 4, 0x7fff, 0x8000, 0xfffe, 0xffff][i as usize % 9];
        let text: &[u8] = [&b""[..], b"x", b"abc"][i as usize % 3];
        let flags = Flags::ACK | Flags::URG;
        victim.feel(line.peer, &Header { urgent, ..line.header(flags) }, text);
        line.seq = line.seq.wrapping_add(text.len() as u32);
        taken += text.len();
        // Far out of the window too.
        let seq = line.seq.wrapping_add(0x4000_0000);
        victim.feel(line.peer, &Header { urgent, seq, ..line.header(flags) }, text);
    }
    assert_eq!(victim.state(&line), State::Established);
    let read = victim.recv(&line).len();
    assert!(read <= taken && taken - read <= 4000, "at most one octet of each went out of band");
    victim.feel(line.peer, &line.header(Flags::ACK), b"still in step");
    assert!(victim.recv(&line).len() >= 12, "the last pointer names one octet of it at most");
    victim.take_work().assert_bounded(1.0, 4.0, 20_000);
}
