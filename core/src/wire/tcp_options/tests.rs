use proptest::prelude::*;
use smallvec::SmallVec;

use super::{AccEcnCounters, AccEcnOption, FastOpenCookie, Options, SackBlocks, UserTimeout};

fn emit(options: &Options) -> Vec<u8> {
    let mut out = SmallVec::new();
    options.emit(&mut out);
    out.to_vec()
}

fn blocks(pairs: &[(u32, u32)]) -> SackBlocks {
    let mut blocks = SackBlocks::default();
    for &(left, right) in pairs {
        assert!(blocks.push(left, right));
    }
    blocks
}

/// What a SYN with everything on it carries.
fn syn() -> Options {
    Options {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some((0x0102_0304, 0)),
        ..Options::default()
    }
}

#[test]
fn a_syn_has_linux_order_and_padding() {
    // RFC 9293 §3.1 (MUST-69).
    let expected = [2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7];
    assert_eq!(emit(&syn()), expected);
    let without_timestamps = Options { timestamps: None, ..syn() };
    assert_eq!(emit(&without_timestamps), [2, 4, 0x05, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7]);
    let first_light = Options { sack_permitted: false, ..without_timestamps };
    assert_eq!(emit(&first_light), [2, 4, 0x05, 0xb4, 1, 3, 3, 7]);
}

#[test]
fn timestamps_and_sack_are_padded_in_front() {
    // RFC 9293 §3.1 (MUST-69).
    let options =
        Options { timestamps: Some((1, 2)), sack: blocks(&[(0x10, 0x20)]), ..Options::default() };
    let expected = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 10, 0, 0, 0, 0x10, 0, 0, 0, 0x20];
    assert_eq!(emit(&options), expected);
}

#[test]
fn sack_blocks_go_as_far_as_there_is_room() {
    let sack = blocks(&[(1, 2), (3, 4), (5, 6), (7, 8)]);
    let alone = Options { sack, ..Options::default() };
    assert_eq!(Options::parse(&emit(&alone)), alone);
    assert_eq!(alone.len(), 36);
    let beside_timestamps = Options { timestamps: Some((1, 2)), ..alone };
    assert_eq!(beside_timestamps.len(), 40);
    let read = Options::parse(&emit(&beside_timestamps));
    assert_eq!(read.sack.as_slice(), [(1, 2), (3, 4), (5, 6)]);
}

#[test]
fn a_fifth_sack_block_is_not_taken() {
    let mut sack = blocks(&[(1, 2), (3, 4), (5, 6), (7, 8)]);
    assert!(!sack.push(9, 10));
    assert_eq!(sack.as_slice().len(), 4);
}

#[test]
fn unknown_options_and_padding_are_skipped() {
    // RFC 9293 §3.1 (MUST-4, MUST-6, MUST-68); RFC 9293 §3.2 (MUST-64).
    let bytes = [1, 1, 254, 4, 2, 4, 30, 2, 2, 4, 0x05, 0xb4, 0, 3, 3, 7];
    let expected = Options { mss: Some(1460), ..Options::default() };
    // What follows the end of the list is not read.
    assert_eq!(Options::parse(&bytes), expected);
}

#[test]
fn an_impossible_length_ends_the_reading() {
    // RFC 9293 §3.1 (MUST-7).
    let mss = [2, 4, 0x05, 0xb4];
    let expected = Options { mss: Some(1460), ..Options::default() };
    for bad in [&[3, 0, 3, 3, 7][..], &[3, 1, 3, 3, 7], &[3, 9, 7], &[8], &[5, 255, 0]] {
        assert_eq!(Options::parse(&[&mss[..], bad].concat()), expected, "{bad:?}");
    }
}

#[test]
fn a_known_option_with_a_length_not_its_own_is_skipped() {
    // RFC 9293 §3.1 (MUST-7).
    let expected = Options { window_scale: Some(7), ..Options::default() };
    for bad in [
        &[2, 3, 5][..],
        &[2, 5, 5, 5, 5],
        &[3, 2],
        &[4, 3, 0],
        &[5, 2],
        &[5, 9, 0, 0, 0, 0, 0, 0, 0],
        &[8, 9, 0, 0, 0, 0, 0, 0, 0],
    ] {
        assert_eq!(Options::parse(&[bad, &[3, 3, 7]].concat()), expected, "{bad:?}");
    }
}

/// A SYN's bytes with this option behind those of Linux.
fn with(option: Options) -> Vec<u8> {
    emit(&Options { fast_open: option.fast_open, ..syn() })[20..].to_vec()
}

#[test]
fn a_fast_open_cookie_has_linux_padding_behind_it() {
    // RFC 7413 §4.1.1
    let cookie = |bytes| Options { fast_open: FastOpenCookie::new(bytes), ..Options::default() };
    assert_eq!(with(cookie(&[])), [34, 2, 1, 1], "the request");
    assert_eq!(with(cookie(&[7; 8])), [34, 10, 7, 7, 7, 7, 7, 7, 7, 7, 1, 1]);
    assert_eq!(with(cookie(&[7; 16])).len(), 20, "beside everything else that a SYN has");
    let old = FastOpenCookie { is_experimental: true, ..FastOpenCookie::new(&[7; 4]).unwrap() };
    let old = Options { fast_open: Some(old), ..Options::default() };
    assert_eq!(with(old), [254, 8, 0xf9, 0x89, 7, 7, 7, 7]);
    assert_eq!(Options::parse(&with(old)), old);
}

#[test]
fn a_cookie_of_an_impossible_length_is_skipped() {
    for len in [1, 2, 3, 5, 7, 17, 18] {
        let option = [&[34, 2 + len as u8][..], &vec![7; len]].concat();
        assert_eq!(Options::parse(&option), Options::default(), "{len} bytes");
        assert_eq!(FastOpenCookie::new(&vec![7; len]), None);
    }
    // Another experiment's number.
    assert_eq!(Options::parse(&[254, 8, 0xf9, 0x88, 7, 7, 7, 7]), Options::default());
}

#[test]
fn accurate_ecn_counters_are_read_in_either_order_and_cut_anywhere() {
    // RFC 9768 §3.2.3
    let read = |bytes: &[u8]| Options::parse(bytes).accurate_ecn;
    let all = AccEcnOption { ect0: Some(1), ce: Some(2), ect1: Some(3) };
    assert_eq!(read(&[172, 11, 0, 0, 1, 0, 0, 2, 0, 0, 3]), Some(all));
    assert_eq!(read(&[174, 11, 0, 0, 3, 0, 0, 2, 0, 0, 1]), Some(all));
    assert_eq!(read(&[172, 8, 0, 0, 1, 0, 0, 2]), Some(AccEcnOption { ect1: None, ..all }));
    assert_eq!(
        read(&[174, 5, 0, 0, 3]),
        Some(AccEcnOption { ect1: Some(3), ..Default::default() })
    );
    assert_eq!(read(&[172, 2]), Some(AccEcnOption::default()));
    assert_eq!(read(&[172, 4, 0, 0]), None, "a length that none has");
    let options = Options { accurate_ecn: Some(all), ..Options::default() };
    assert_eq!(emit(&options), [172, 11, 0, 0, 1, 0, 0, 2, 0, 0, 3, 1]);
}

#[test]
fn a_user_timeout_is_in_seconds_or_minutes() {
    // RFC 5482 §3.3
    let seconds = std::time::Duration::from_secs;
    for (timeout, field) in [(1, 1), (32_767, 32_767), (32_768, 0x8000 | 547), (u64::MAX, 0xffff)] {
        assert_eq!(UserTimeout::of(seconds(timeout)), UserTimeout(field));
    }
    assert_eq!(UserTimeout(0x8002).duration(), Some(seconds(120)));
    assert_eq!(UserTimeout(90).duration(), Some(seconds(90)));
    assert_eq!((UserTimeout(0).duration(), UserTimeout(0x8000).duration()), (None, None));
    let options = Options { user_timeout: Some(UserTimeout(90)), ..Options::default() };
    assert_eq!(emit(&options), [28, 4, 0, 90]);
    assert_eq!(Options::parse(&[28, 4, 0, 90]), options);
}

prop_compose! {
    fn any_rare()(
        cookie in prop::option::of(prop::sample::select(vec![0, 4, 6, 8, 10, 12, 14, 16])),
        is_experimental: bool,
        accurate_ecn in prop::option::of((0..1u32 << 24, 0..1u32 << 24, 0..1u32 << 24)),
        user_timeout: Option<u16>,
    ) -> Options {
        let fast_open = cookie.map(|len| FastOpenCookie {
            // In the experiment's option a full cookie would leave no room for the basic ones.
            is_experimental: is_experimental && len < 16,
            ..FastOpenCookie::new(&vec![9; len]).unwrap()
        });
        let accurate_ecn = accurate_ecn
            .map(|(ect0, ce, ect1)| AccEcnOption::from(AccEcnCounters { ect0, ce, ect1 }));
        let user_timeout = user_timeout.map(UserTimeout);
        Options { fast_open, accurate_ecn, user_timeout, ..Options::default() }
    }
}

prop_compose! {
    fn any_options()(
        mss: Option<u16>, window_scale: Option<u8>, sack_permitted: bool,
        timestamps: Option<(u32, u32)>, pairs in prop::collection::vec(any::<(u32, u32)>(), 0..=4),
    ) -> Options {
        let sack = blocks(&pairs);
        Options { mss, window_scale, sack_permitted, timestamps, sack, ..Options::default() }
    }
}

proptest! {
    #[test]
    fn the_short_ways_for_timestamps_alone_lead_where_the_long_ones_do(
        timestamps: Option<(u32, u32)>,
        noise in proptest::collection::vec(0u8..12, 0..16),
    ) {
        let options = Options { timestamps, ..Options::default() };
        let mut bytes = SmallVec::new();
        options.emit_any(&mut bytes);
        prop_assert_eq!(emit(&options), bytes.to_vec());
        prop_assert_eq!(options.len(), options.len_of_any());
        prop_assert_eq!(Options::parse(&bytes), Options::parse_any(&bytes));
        // And with bytes that are nearly the same.
        for at in 0..bytes.len() {
            let mut nearly = bytes.to_vec();
            nearly[at] = noise.first().copied().unwrap_or(0);
            prop_assert_eq!(Options::parse(&nearly), Options::parse_any(&nearly));
        }
        prop_assert_eq!(Options::parse(&noise), Options::parse_any(&noise));
    }

    #[test]
    fn what_is_emitted_parses_to_the_same_as_far_as_there_is_room(options in any_options()) {
        let bytes = emit(&options);
        prop_assert_eq!(bytes.len(), options.len());
        prop_assert!(bytes.len() <= 40 && bytes.len().is_multiple_of(4));
        prop_assert_eq!(bytes.is_empty(), options.is_empty());
        let read = Options::parse(&bytes);
        prop_assert!(options.sack.as_slice().starts_with(read.sack.as_slice()));
        let room = 40 - Options { sack: SackBlocks::default(), ..options }.len();
        prop_assert!(read.sack == options.sack || room < 4 + 8 * options.sack.as_slice().len());
        prop_assert_eq!(Options { sack: read.sack, ..options }, read);
    }

    #[test]
    fn rare_options_are_written_whole_or_not_at_all(basic in any_options(), rare in any_rare()) {
        let Options { fast_open, accurate_ecn, user_timeout, .. } = rare;
        let options = Options { fast_open, accurate_ecn, user_timeout, ..basic };
        let bytes = emit(&options);
        prop_assert_eq!(bytes.len(), options.len());
        prop_assert!(bytes.len() <= 40 && bytes.len().is_multiple_of(4));
        let read = Options::parse(&bytes);
        prop_assert_eq!(read.fast_open, fast_open, "never left out");
        prop_assert!(read.accurate_ecn == accurate_ecn || read.accurate_ecn.is_none());
        prop_assert!(read.user_timeout == user_timeout || read.user_timeout.is_none());
        prop_assert_eq!((read.mss, read.timestamps), (basic.mss, basic.timestamps));
    }

    #[test]
    fn random_bytes_never_panic_and_can_be_emitted_again(
        bytes in prop::collection::vec(prop_oneof![0u8..12, Just(34), Just(172), Just(174), Just(254), Just(28), any::<u8>()], 0..=40),
    ) {
        let options = Options::parse(&bytes);
        prop_assert_eq!(emit(&options).len(), options.len());
        prop_assert!(options.len() <= 40);
    }
}
