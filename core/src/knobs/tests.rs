use std::time::Duration;

use super::*;

#[test]
fn every_default_is_inside_its_range_and_reads_back_as_written() {
    let knobs = Knobs::default();
    for knob in KNOBS {
        assert_eq!(knobs.get(knob.name).as_deref(), Some(knob.default), "{}", knob.name);
    }
}

#[test]
fn names_are_unique_and_every_knob_says_what_it_does() {
    let mut names: Vec<_> = Knobs::names().collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), KNOBS.len());
    assert!(KNOBS.iter().all(|knob| knob.doc.ends_with('.')));
}

#[test]
fn a_value_can_be_set_and_read_in_its_own_type() {
    let mut knobs = Knobs::default();
    knobs.set("tcp_rmem", "2048 4096 8192").unwrap();
    assert_eq!(knobs.receive_buffer(), BufferSizes { min: 2048, default: 4096, max: 8192 });
    knobs.set("tcp_rmem", "2048,4096,8193").unwrap();
    assert_eq!(knobs.get("tcp_rmem").as_deref(), Some("2048 4096 8193"));
    knobs.set("ip_local_port_range", "40000\t40001").unwrap();
    assert_eq!(knobs.local_port_range(), (40_000, 40_001));
    knobs.set("tcp_delack_ms", "0").unwrap();
    assert_eq!(knobs.delack(), Duration::ZERO);
    knobs.set("tcp_orphan_retries", "0").unwrap();
    assert_eq!(knobs.orphan_retries(), 8);
}

#[test]
fn a_bad_value_is_refused_with_what_would_be_valid_and_changes_nothing() {
    let mut knobs = Knobs::default();
    let before = knobs.clone();
    for (name, value, expected) in [
        ("tcp_window_scaling", "2", "0 or 1"),
        ("tcp_syn_retries", "0", "a number from 1 to 127"),
        ("tcp_syn_retries", "+6", "a number from 1 to 127"),
        ("tcp_syn_retries", "6 7", "a number from 1 to 127"),
        ("tcp_syn_retries", "", "a number from 1 to 127"),
        ("tcp_syn_retries", "99999999999999999999", "a number from 1 to 127"),
        ("tcp_rmem", "4096 2048 8192", "`min default max`, rising numbers from 1024 to 1073741824"),
        ("tcp_rmem", "4096", "`min default max`, rising numbers from 1024 to 1073741824"),
        ("tcp_congestion_control", "vegas", "one of: reno, cubic, bbr"),
    ] {
        let refused = knobs.set(name, value).unwrap_err();
        assert_eq!(refused.to_string(), format!("`{name}={value}`: expected {expected}"));
    }
    assert_eq!(knobs, before);
}

#[test]
fn an_unknown_knob_is_refused_with_the_names_there_are() {
    let refused = Knobs::default().set("tcp_sack_or_so", "1").unwrap_err();
    assert!(refused.to_string().starts_with("there is no knob `tcp_sack_or_so`; the knobs are "));
    assert!(refused.to_string().contains("tcp_window_scaling"));
    assert_eq!(Knobs::default().get("tcp_sack_or_so"), None);
}

#[test]
fn each_congestion_control_can_be_named() {
    let mut knobs = Knobs::default();
    assert_eq!(knobs.congestion_control(), CongestionAlgorithm::Cubic);
    for algorithm in CongestionAlgorithm::ALL {
        knobs.set("tcp_congestion_control", algorithm.name()).unwrap();
        assert_eq!(knobs.congestion_control(), algorithm);
        assert_eq!(CongestionAlgorithm::named(algorithm.name()), Some(algorithm));
    }
    assert_eq!(CongestionAlgorithm::named("vegas"), None);
}

#[test]
fn a_sum_of_bits_may_be_written_in_hexadecimal() {
    let mut knobs = Knobs::default();
    knobs.set("tcp_fastopen", "0x403").unwrap();
    assert_eq!(knobs.get("tcp_fastopen").unwrap(), "1027");
    for refused in ["0x", "0x+3", "0xg", "0x8000", "0X3"] {
        knobs.set("tcp_fastopen", refused).unwrap_err();
    }
}
