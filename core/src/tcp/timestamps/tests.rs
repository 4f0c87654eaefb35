use super::*;

fn at(ms: u64) -> Instant {
    Instant::from_micros(ms * 1000)
}

/// Agreed on, with the peer's SYN saying `value` at `ms`.
fn agreed(value: u32, ms: u64) -> Timestamps {
    let mut timestamps = Timestamps::new(&Knobs::default(), 0xffff_ff00);
    timestamps.option(at(ms), false);
    timestamps.negotiate(at(ms), Some((value, 0)));
    timestamps
}

#[test]
fn the_clock_ticks_once_a_millisecond_from_its_offset_and_wraps() {
    // RFC 7323 §5.4
    let timestamps = agreed(1, 0);
    assert_eq!(timestamps.clock(at(0)), 0xffff_ff00);
    assert_eq!(timestamps.clock(at(255)), u32::MAX);
    assert_eq!(timestamps.clock(at(256)), 0);
}

#[test]
fn the_knob_takes_the_offset_or_the_option_away() {
    // RFC 7323 §7.1.
    let mut knobs = Knobs::default();
    knobs.set("tcp_timestamps", "2").unwrap();
    assert_eq!(Timestamps::new(&knobs, 77).clock(at(5)), 5);
    knobs.set("tcp_timestamps", "0").unwrap();
    assert_eq!(Timestamps::new(&knobs, 77).option(at(5), true), None);
}

#[test]
fn a_timestamp_before_ts_recent_is_old_even_across_the_wrap() {
    // RFC 7323 §5.2, §5.3 R1
    for recent in [1000, 5, 0x8000_0000, u32::MAX] {
        let timestamps = agreed(recent, 0);
        let judge = |value: u32| timestamps.judge(at(1), Some((value, 0)));
        assert_eq!(judge(recent), Age::Current);
        assert_eq!(judge(recent.wrapping_add(1)), Age::Current);
        assert_eq!(judge(recent.wrapping_add(0x7fff_ffff)), Age::Current);
        assert_eq!(judge(recent.wrapping_sub(1)), Age::Old);
        assert_eq!(judge(recent.wrapping_sub(0x7fff_ffff)), Age::Old);
    }
}

#[test]
fn after_24_days_ts_recent_says_nothing() {
    // RFC 7323 §5.5
    const DAY: u64 = 24 * 3600 * 1000;
    let timestamps = agreed(1000, 0);
    assert_eq!(timestamps.judge(at(24 * DAY), Some((999, 0))), Age::Old);
    assert_eq!(timestamps.judge(at(24 * DAY + 1), Some((999, 0))), Age::Current);
}

#[test]
fn only_a_segment_that_covers_last_ack_sent_moves_ts_recent_and_never_back() {
    // RFC 7323 §4.3 (2)
    let mut timestamps = agreed(10, 0);
    timestamps.update(at(1), Some((20, 0)), false);
    assert_eq!(timestamps.recent(), 10);
    timestamps.update(at(1), Some((20, 0)), true);
    assert_eq!(timestamps.recent(), 20);
    timestamps.update(at(1), Some((19, 0)), true);
    assert_eq!(timestamps.recent(), 20);
}

#[test]
fn an_echo_gives_the_round_trip_and_a_forged_one_nothing() {
    let timestamps = agreed(1, 1000);
    let sent = timestamps.clock(at(1000));
    let round_trip = |echo| timestamps.round_trip(at(1040), Some((9, echo)));
    assert_eq!(round_trip(sent), Some(Duration::from_millis(40)));
    assert_eq!(round_trip(timestamps.clock(at(1040))), Some(Duration::from_millis(1)));
    assert_eq!(round_trip(timestamps.clock(at(1041))), None, "ahead of the clock");
    assert_eq!(round_trip(sent.wrapping_sub(1)), None, "before our first segment");
    assert_eq!(round_trip(0), None, "no echo");
    assert_eq!(timestamps.round_trip(at(1040), None), None);
}

#[test]
fn without_ack_the_echo_is_zero() {
    // RFC 7323 §3.2
    let mut timestamps = agreed(7, 0);
    assert_eq!(timestamps.option(at(256), false), Some((0, 0)));
    assert_eq!(timestamps.option(at(256), true), Some((0, 7)));
}
