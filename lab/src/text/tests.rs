//! Numbers as people read them, and no text left out in any language.

use super::*;

#[test]
fn every_word_is_there_in_both_languages() {
    for word in Word::ALL {
        assert!(!word.of(Language::English).is_empty(), "{word:?}");
        let chinese = word.of(Language::Chinese);
        assert!(!chinese.is_ascii(), "{word:?} is not translated: {chinese}");
    }
}

#[test]
fn durations_have_about_three_digits_and_their_unit() {
    let cases = [
        (999, "999 ns"),
        (87_654, "87 µs"),
        (1_200_000, "1.2 ms"),
        (12_340_000, "12.3 ms"),
        (123_400_000, "123 ms"),
        (60_000_000_000, "60 s"),
        (100_000_000_000, "100 s"),
    ];
    for (ns, text) in cases {
        assert_eq!(duration(ns), text);
    }
}

#[test]
fn the_clock_counts_from_the_first_segment_and_backwards_before_it() {
    let origin = 5_000_000_000;
    let cases = [
        (origin, "0 µs"),
        (origin - 500, "0 µs"),
        (origin + 31_000, "31 µs"),
        (origin - 1_234_000, "-1.23 ms"),
        (origin + 60_001_000_000, "60.001 s"),
    ];
    for (time, text) in cases {
        assert_eq!(clock(time, origin), text);
    }
}

#[test]
fn large_numbers_are_grouped_and_counts_agree_with_their_noun() {
    assert_eq!(grouped(0), "0");
    assert_eq!(grouped(175_200), "175,200");
    let english = Text::new(Language::English);
    assert_eq!(english.segments(1), "1 segment");
    assert_eq!(english.bytes(1_000_000), "1,000,000 bytes");
    assert_eq!(Text::new(Language::Chinese).bytes(5), "5 字节");
}
