pub(super) mod bottleneck;

use super::initial_window;

#[test]
fn the_initial_window_is_that_of_rfc_6928() {
    // SMSS, expected
    let table = [
        (536, 5360),
        (1220, 12_200),
        (1460, 14_600),
        (1500, 14_600),
        (8960, 17_920),
        (65_495, 130_990),
    ];
    for (smss, expected) in table {
        assert_eq!(initial_window(smss, 10), expected, "SMSS {smss}");
    }
}

#[test]
fn the_number_of_segments_scales_it() {
    assert_eq!(initial_window(1460, 1), 1460);
    assert_eq!(initial_window(8960, 1), 8960);
    assert_eq!(initial_window(1460, 4), 5840);
    assert_eq!(initial_window(1460, 32), 46_720);
    assert_eq!(initial_window(1460, 0), 1460, "at least one segment");
    assert_eq!(
        initial_window(u32::MAX, u32::MAX),
        (u64::from(u32::MAX) * 1460).max(2 * u64::from(u32::MAX))
    );
}

#[test]
fn the_controllers_of_idle_connections_are_small() {
    assert!(size_of::<super::Reno>() <= 64, "{}", size_of::<super::Reno>());
    assert!(size_of::<super::Cubic>() <= 64, "{}", size_of::<super::Cubic>());
}
