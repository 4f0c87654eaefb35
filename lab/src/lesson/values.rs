//! Values as a lesson's file writes them: times, ids, ports at hosts, and numbers with bounds.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

/// The longest time that a file can name.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A time, as `20ms`, `1.5s` or `2h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Time(pub(super) Duration);

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Time, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let seconds_per_unit = match &text[digits.len()..] {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "min" => 60.0,
            "h" => 3600.0,
            _ => f64::NAN,
        };
        let seconds = digits.parse().unwrap_or(f64::NAN) * seconds_per_unit;
        if (0.0..=LONGEST.as_secs_f64()).contains(&seconds) {
            Ok(Time(Duration::from_secs_f64(seconds)))
        } else {
            Err(format!("`{text}`: expected a time such as `20ms`, `1.5s` or `2h`, at most 24h"))
        }
    }
}

/// An id, which links and commands name: small letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Id(pub(super) String);

impl TryFrom<String> for Id {
    type Error = String;

    fn try_from(text: String) -> Result<Id, String> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if (1..=40).contains(&text.len()) && text.chars().all(is_plain) {
            Ok(Id(text))
        } else {
            Err(format!("`{text}`: expected an id of 1 to 40 of a-z, 0-9 and `-`"))
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Bounded<const MIN: u64, const MAX: u64>(pub(super) u64);

impl<const MIN: u64, const MAX: u64> TryFrom<i64> for Bounded<MIN, MAX> {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        let within = u64::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number));
        within.map(Self).ok_or_else(|| format!("{number}: expected a number from {MIN} to {MAX}"))
    }
}

impl<const MIN: u64, const MAX: u64> Bounded<MIN, MAX> {
    /// The number where it is known to be small.
    pub(super) fn small(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

/// A knob's or an option's value: a number, a word, or on and off.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Setting {
    Number(i64),
    Switch(bool),
    Word(String),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Number(number) => number.fmt(f),
            Setting::Switch(on) => u8::from(*on).fmt(f),
            Setting::Word(word) => word.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
