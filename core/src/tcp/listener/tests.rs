use super::{Arrival, Listener, SYN_QUEUE_MIN};
use crate::wire::tcp::{Flags, Header};

fn segment(flags: u16) -> Header {
    Header {
        src_port: 5000,
        dst_port: 80,
        seq: 100,
        ack: 777,
        flags: Flags(flags),
        ..Header::default()
    }
}

const SYN: u16 = 0x02;

/// Lets `count` children through the whole handshake; returns how many got a place.
fn establish(listener: &mut Listener<u32>, ids: std::ops::Range<u32>) -> usize {
    ids.filter(|&id| {
        let open = listener.handle_segment(&segment(SYN), 0) == Arrival::Open;
        if open {
            listener.opened(id);
        }
        open && listener.established(id)
    })
    .count()
}

#[test]
fn every_combination_of_flags_is_treated_as_in_listen() {
    // RFC 9293 §3.10.7.2.
    let listener = Listener::<u32>::new(5);
    for flags in 0..0x200 {
        let arrival = listener.handle_segment(&segment(flags), 0);
        let is_fin = flags & 0x01 != 0;
        match (flags & 0x04 != 0, flags & 0x10 != 0, flags & SYN != 0) {
            (true, _, _) => assert_eq!(arrival, Arrival::Ignore, "RST, flags {flags:#04x}"),
            (_, true, _) => {
                let Arrival::Reset(reset) = arrival else { panic!("ACK, flags {flags:#04x}") };
                assert_eq!((reset.seq, reset.flags), (777, Flags::RST));
                assert_eq!((reset.src_port, reset.dst_port), (80, 5000));
            }
            (_, _, true) if is_fin => assert_eq!(arrival, Arrival::Contradiction),
            (_, _, true) => assert_eq!(arrival, Arrival::Open, "SYN, flags {flags:#04x}"),
            _ => assert_eq!(arrival, Arrival::Ignore, "flags {flags:#04x}"),
        }
    }
}

#[test]
fn children_are_accepted_in_the_order_of_their_handshakes() {
    let mut listener = Listener::new(5);
    for id in [1, 2, 3] {
        listener.opened(id);
    }
    assert!(!listener.is_acceptable());
    assert!(listener.established(2));
    assert!(listener.established(1));
    assert!(listener.is_acceptable());
    listener.check();
    assert_eq!((listener.accept(), listener.accept(), listener.accept()), (Some(2), Some(1), None));
    assert_eq!(listener.children(), [3]);
}

#[test]
fn the_accept_queue_holds_one_more_than_the_backlog() {
    for backlog in [0, 1, 5, 128] {
        let mut listener = Listener::new(backlog);
        assert_eq!(establish(&mut listener, 0..1000), backlog as usize + 1);
        assert_eq!(listener.handle_segment(&segment(SYN), 0), Arrival::Full);
        listener.accept();
        assert_eq!(listener.handle_segment(&segment(SYN), 0), Arrival::Open);
    }
}

#[test]
fn an_ack_for_a_full_accept_queue_counts_as_not_arrived() {
    let mut listener = Listener::new(0);
    listener.opened(1);
    listener.opened(2);
    assert!(listener.established(1));
    assert!(!listener.established(2));
    assert_eq!(listener.children(), [2, 1]);
    assert_eq!(listener.accept(), Some(1));
    assert!(listener.established(2), "the next ACK finds room");
}

#[test]
fn the_syn_queue_is_bounded_by_the_backlog_but_not_below_eight() {
    // RFC 4987 §3.2.
    for (backlog, expected) in [(0, SYN_QUEUE_MIN), (8, 8), (20, 20)] {
        let mut listener = Listener::new(backlog);
        let mut made = 0;
        while listener.handle_segment(&segment(SYN), 0) == Arrival::Open {
            listener.opened(made);
            made += 1;
        }
        assert_eq!(made as usize, expected, "backlog {backlog}");
        assert_eq!(listener.handle_segment(&segment(SYN), 0), Arrival::Crowded);
        listener.removed(0);
        assert_eq!(listener.handle_segment(&segment(SYN), 0), Arrival::Open);
    }
}

#[test]
fn a_child_that_died_leaves_either_queue() {
    let mut listener = Listener::new(5);
    listener.opened(1);
    listener.opened(2);
    listener.established(2);
    listener.removed(1);
    listener.removed(2);
    assert!(listener.children().is_empty());
    assert!(!listener.established(1), "unknown by now");
    assert_eq!(listener.accept(), None);
}

#[test]
fn a_smaller_backlog_drops_no_child() {
    let mut listener = Listener::new(5);
    assert_eq!(establish(&mut listener, 0..6), 6);
    listener.set_backlog(1);
    assert_eq!(listener.children().len(), 6);
    assert_eq!(listener.handle_segment(&segment(SYN), 0), Arrival::Full);
}
