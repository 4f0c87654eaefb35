//! What the two SYNs agree on: every option off on either side, and timestamps from there on.

use super::*;

/// A SYN as Linux sends it, its timestamp 500.
fn linux_syn() -> Options {
    Options {
        mss: Some(1000),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some((500, 0)),
        ..Options::default()
    }
}

const ALL_ON: [(&str, &str); 3] =
    [("tcp_window_scaling", "1"), ("tcp_timestamps", "1"), ("tcp_sack", "1")];

/// The clock of a script starts at one second, the offset is 1,000,000.
const OUR_CLOCK: u32 = 1_001_000;

/// Every choice of three options, on or off.
fn choices() -> impl Iterator<Item = [bool; 3]> {
    (0..8u8).map(|bits| [0, 1, 2].map(|bit| bits >> bit & 1 == 1))
}

fn knobs([scaling, timestamps, sack]: [bool; 3]) -> [(&'static str, &'static str); 3] {
    let text = |on| if on { "1" } else { "0" };
    [
        ("tcp_window_scaling", text(scaling)),
        ("tcp_timestamps", text(timestamps)),
        ("tcp_sack", text(sack)),
    ]
}

fn shown(options: &Options) -> [bool; 3] {
    [options.window_scale.is_some(), options.timestamps.is_some(), options.sack_permitted]
}

fn offered([scaling, timestamps, sack]: [bool; 3]) -> Options {
    let syn = linux_syn();
    Options {
        window_scale: syn.window_scale.filter(|_| scaling),
        timestamps: syn.timestamps.filter(|_| timestamps),
        sack_permitted: sack,
        ..syn
    }
}

fn both(ours: [bool; 3], theirs: [bool; 3]) -> [bool; 3] {
    [0, 1, 2].map(|option| ours[option] && theirs[option])
}

#[test]
fn a_passive_open_agrees_to_what_both_ends_have_and_to_no_more() {
    // RFC 7323 §2.2, §3.2; RFC 2018 §2: an option in the SYN+ACK only if it was in the SYN.
    for (ours, theirs) in choices().flat_map(|ours| choices().map(move |theirs| (ours, theirs))) {
        let mut peer = Script::accepting(offered(theirs), &knobs(ours));
        let options = peer.poll().unwrap().header.options;
        assert_eq!(shown(&options), both(ours, theirs), "{ours:?} and {theirs:?}");
        assert_eq!(options.mss, Some(1000), "SHLD-5: always said");
    }
}

#[test]
fn an_active_open_offers_what_it_has_and_uses_what_the_answer_has() {
    for (ours, theirs) in choices().flat_map(|ours| choices().map(move |theirs| (ours, theirs))) {
        let mut peer = Script::connecting(&knobs(ours));
        let syn = peer.poll().unwrap().header.options;
        assert_eq!(shown(&syn), ours);
        let answer =
            Options { timestamps: theirs[1].then_some((500, OUR_CLOCK)), ..offered(theirs) };
        peer.arrive(seg(SYN_ACK, 0).ack(1).options(answer));
        peer.expect_state(State::Established);
        let [scaling, timestamps, sack] = both(ours, theirs);
        let connection = &peer.connection;
        assert_eq!(connection.sack_permitted, sack);
        assert_eq!(connection.snd.wnd_shift, if scaling { 7 } else { 0 });
        assert_eq!(connection.smss(), if timestamps { 988 } else { 1000 });
        let ack = peer.poll().unwrap().header.options;
        assert_eq!(ack.timestamps, timestamps.then_some((OUR_CLOCK, 500)));
        assert_eq!(shown(&ack), [false, timestamps, false], "the rest is said on SYNs alone");
    }
}

#[test]
fn without_the_ack_bit_the_echo_is_zero_and_each_syn_says_the_time() {
    // RFC 7323 §3.2
    let mut peer = Script::connecting(&ALL_ON);
    let timestamps = |peer: &mut Script| peer.poll().unwrap().header.options.timestamps;
    assert_eq!(timestamps(&mut peer), Some((OUR_CLOCK, 0)));
    peer.wait_for_timer();
    assert_eq!(timestamps(&mut peer), Some((OUR_CLOCK + 1000, 0)));
}

#[test]
fn an_echo_tells_which_syn_was_answered() {
    // RFC 7323 §4.1: Karn's doubt is gone, and with it the cautious 3 s of RFC 6298 §5.7.
    let mut peer = Script::connecting(&ALL_ON);
    peer.poll().unwrap();
    peer.wait_for_timer();
    peer.poll().unwrap();
    peer.now += ms(30);
    let answer = Options { timestamps: Some((500, OUR_CLOCK + 1000)), ..linux_syn() };
    peer.arrive(seg(SYN_ACK, 0).ack(1).options(answer));
    assert_eq!(peer.snapshot().srtt_ns, Some(30_000_000));
    assert_eq!(peer.snapshot().rto_ns, 230_000_000);
}

#[test]
fn a_syn_and_ack_that_echoes_a_timestamp_never_sent_is_reset() {
    for echo in [OUR_CLOCK + 1, OUR_CLOCK - 1] {
        let mut peer = Script::connecting(&ALL_ON);
        peer.poll().unwrap();
        let answer = Options { timestamps: Some((500, echo)), ..linux_syn() };
        peer.arrive(seg(SYN_ACK, 0).ack(1).options(answer));
        peer.expect_state(State::SynSent);
        peer.expect(out(RST, 1, 0));
    }
}

/// ESTABLISHED by a passive open, all options on; the peer's clock stands at 500.
fn with_timestamps() -> Script {
    let mut peer = Script::accepting(linux_syn(), &ALL_ON);
    assert_eq!(peer.poll().unwrap().header.options.timestamps, Some((OUR_CLOCK, 500)));
    peer.arrive(seg(ACK, 1).ack(1).stamp(500));
    peer.expect_state(State::Established);
    peer
}

#[test]
fn every_segment_bears_timestamps_and_its_text_is_shorter_by_them() {
    // RFC 7323 §3.2 (MUST in every non-RST segment); RFC 6691 §2
    let mut peer = with_timestamps();
    peer.super_segments(10_000);
    peer.send(&[1; 3000]).unwrap();
    peer.now += ms(5);
    let text = peer.poll().unwrap();
    assert_eq!(text.header.options.timestamps, Some((OUR_CLOCK + 5, 500)));
    assert_eq!((text.gso_size, text.payload.len()), (988, 2964 + 36));
    assert_eq!(text.header.len() + usize::from(text.gso_size), 1020, "the path takes 1040");
}

#[test]
fn an_abort_bears_timestamps_too() {
    // RFC 7323 §5.2: SHOULD
    let mut peer = with_timestamps();
    peer.close_with_reset();
    let reset = peer.poll().unwrap().header;
    assert_eq!((reset.flags, reset.options.timestamps), (RST_ACK, Some((OUR_CLOCK, 500))));
}

#[test]
fn an_old_duplicate_that_seems_to_fit_is_dropped_and_answered() {
    // RFC 7323 §5.3, R1
    let mut peer = with_timestamps();
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"old").stamp(499));
    peer.expect(out(ACK, 1, 1));
    assert_eq!(peer.recv(10), Err(Error::WouldBlock));
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"new").stamp(500));
    assert_eq!(peer.recv(10).unwrap(), b"new");
}

#[test]
fn resets_are_exempt_from_paws() {
    // RFC 7323 §5.2: MUST NOT be subjected to it
    let mut peer = with_timestamps();
    peer.arrive(seg(RST, 1).stamp(1));
    peer.expect_state(State::Closed);
    let mut peer = with_timestamps();
    peer.arrive(seg(RST, 1));
    peer.expect_state(State::Closed);
}

#[test]
fn a_segment_that_lost_its_timestamps_is_dropped_in_silence() {
    // RFC 7323 §3.2: SHOULD
    let mut peer = with_timestamps();
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"bare"));
    peer.expect_nothing();
    assert_eq!(peer.recv(10), Err(Error::WouldBlock));
}

#[test]
fn a_syn_without_timestamps_or_with_old_ones_is_challenged() {
    // RFC 5961 §4.2: whatever its number; the peer may have started anew.
    for syn in [seg(SYN, 90_000), seg(SYN, 90_000).stamp(1)] {
        let mut peer = with_timestamps();
        peer.arrive(syn);
        peer.expect(out(ACK, 1, 1));
        peer.expect_state(State::Established);
    }
}

#[test]
fn ts_recent_follows_what_arrives_in_order_and_not_what_lies_past_a_hole() {
    // RFC 7323 §4.3, R3 of §5.3
    let echo = |peer: &mut Script| peer.poll().unwrap().header.options.timestamps.unwrap().1;
    let mut peer = with_timestamps();
    peer.arrive(seg(ACK, 101).ack(1).text(&[0; 100]).stamp(520));
    assert_eq!(echo(&mut peer), 500, "past a hole");
    peer.arrive(seg(ACK, 1).ack(1).text(&[0; 100]).stamp(530));
    assert_eq!(echo(&mut peer), 530, "the hole is filled");
    peer.arrive(seg(ACK, 201).ack(1).text(&[0; 100]).stamp(540));
    peer.arrive(seg(ACK, 301).ack(1).text(&[0; 100]).stamp(550));
    peer.wait(ms(40));
    assert_eq!(echo(&mut peer), 540, "the earliest of two that one ACK acknowledges");
}

#[test]
fn a_forger_without_a_valid_ack_cannot_poison_ts_recent() {
    let mut peer = with_timestamps();
    for ack in [2, u32::MAX - 100_000_000] {
        peer.arrive(seg(ACK, 1).ack(ack).text(b"x").stamp(0x7fff_0000));
    }
    while peer.poll().is_some() {}
    peer.arrive(seg(PSH_ACK, 1).ack(1).text(b"honest").stamp(501));
    assert_eq!(peer.recv(10).unwrap(), b"honest");
}

#[test]
fn an_ack_that_was_overtaken_is_no_reason_to_send_one() {
    let mut peer = with_timestamps();
    peer.arrive(seg(ACK, 1).ack(1).text(b"x").stamp(600));
    peer.wait(ms(40));
    peer.expect(out(ACK, 1, 2));
    peer.arrive(seg(ACK, 2).ack(1).stamp(590));
    peer.expect_nothing();
}

#[test]
fn what_paws_refuses_is_answered_at_most_twice_a_second_unless_it_has_text() {
    // RFC 5961 §7's reason, Linux's tcp_invalid_ratelimit: ACKs must not answer ACKs for ever.
    let mut peer = with_timestamps();
    for _ in 0..3 {
        peer.arrive(seg(FIN_ACK, 90_000).ack(1).text(b"x").stamp(1));
        peer.expect(out(ACK, 1, 1));
    }
    peer.arrive(seg(ACK, 9).ack(1).stamp(1));
    peer.expect(out(ACK, 1, 1));
    peer.arrive(seg(ACK, 9).ack(1).stamp(1));
    peer.expect_nothing();
    peer.wait(ms(500));
    peer.arrive(seg(ACK, 9).ack(1).stamp(1));
    peer.expect(out(ACK, 1, 1));
}

/// TIME-WAIT; the peer's last timestamp is 600 and its next number 2.
fn time_wait(set_knobs: &[(&str, &str)]) -> Script {
    let mut peer = Script::accepting(linux_syn(), &[&ALL_ON, set_knobs].concat());
    let _ = peer.poll();
    peer.arrive(seg(ACK, 1).ack(1).stamp(500));
    peer.shutdown(Shutdown::Write).unwrap();
    let _ = peer.poll();
    peer.arrive(seg(FIN_ACK, 1).ack(2).stamp(600));
    peer.expect_state(State::TimeWait);
    peer.expect(out(ACK, 2, 2));
    peer
}

#[test]
fn a_reset_ends_time_wait_unless_the_knob_says_no() {
    // RFC 1337 §3; Linux's tcp_rfc1337
    let mut peer = time_wait(&[]);
    peer.arrive(seg(RST, 2));
    peer.expect_state(State::Closed);
    let mut peer = time_wait(&[("tcp_rfc1337", "1")]);
    peer.arrive(seg(RST, 2));
    peer.expect_state(State::TimeWait);
}

#[test]
fn the_socket_may_have_its_own_number_of_syns() {
    // TCP_SYNCNT
    let settings = Settings { syn_retries: Some(1), ..settings() };
    let mut peer = Script::start(settings, &[], |cx, settings| {
        Connection::connect(cx, name(), ORIGIN, settings)
    });
    peer.expect(out(SYN, 0, 0));
    peer.wait_for_timer();
    peer.expect(out(SYN, 0, 0));
    peer.wait_for_timer();
    assert_eq!(peer.connection.take_error(), Some(Error::TimedOut));
}

#[test]
fn a_repeated_syn_is_answered_at_most_twice_a_second() {
    // Linux's tcp_invalid_ratelimit, and RFC 5961 §7's reason
    let mut peer = Script::accepting(Options::default(), &[]);
    peer.expect(out(SYN_ACK, 0, 1));
    peer.arrive(seg(SYN, 0));
    peer.expect(out(SYN_ACK, 0, 1));
    peer.arrive(seg(SYN, 0));
    peer.expect_nothing();
    peer.wait(ms(500));
    peer.arrive(seg(SYN, 0));
    peer.expect(out(SYN_ACK, 0, 1));
}
