//! Values are taken as they are written, and refused with a word on what would be right.

use super::*;

fn time(text: &str) -> Result<Duration, String> {
    Time::try_from(text.to_owned()).map(|time| time.0)
}

#[test]
fn times_have_units() {
    assert_eq!(time("20ms"), Ok(Duration::from_millis(20)));
    assert_eq!(time("1.5s"), Ok(Duration::from_millis(1500)));
    assert_eq!(time("24h"), Ok(LONGEST));
    for wrong in ["20", "s", "-1s", "25h", "1 day", "nans", "infs", ""] {
        assert!(time(wrong).unwrap_err().contains("expected a time such as `20ms`"), "{wrong}");
    }
}

#[test]
fn ids_fit_into_a_link() {
    assert!(Id::try_from("syn-ack-2".to_owned()).is_ok());
    for wrong in ["", "SYN", "two words", "握手", "a/b"] {
        assert!(Id::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}

#[test]
fn numbers_have_bounds() {
    assert_eq!(Bounded::<1, 5>::try_from(5).map(|number| number.0), Ok(5));
    assert_eq!(
        Bounded::<1, 5>::try_from(-1).map(|number| number.0),
        Err("-1: expected a number from 1 to 5".to_owned()),
    );
}
