//! Impairments as a person writes them: `loss=1%`, `delay=20ms`, `rate=100mbit`.

use std::time::Duration;

use super::Impairment;

/// A setting that cannot be used; the message says what can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}={value}`: expected {expected}")]
pub struct ImpairmentError {
    key: String,
    value: String,
    expected: &'static str,
}

const PROBABILITY: &str = "a probability such as `1%` or `0.01`, from 0 to 1";
const TIME: &str = "a time such as `20ms`, `150us` or `1.5s`, at most an hour";
const RATE: &str = "a rate such as `100mbit`, `10kbit` or `1.5gbit`, from 1bit to 1000gbit";
const LIMIT: &str = "a number of packets from 1 to 65536";

impl Impairment {
    /// The keys that [`set`](Impairment::set) knows.
    pub const KEYS: [&str; 9] =
        ["loss", "delay", "jitter", "reorder", "duplicate", "corrupt", "rate", "limit", "ecn"];

    /// Sets one value from text.
    ///
    /// # Errors
    /// When the key is none of [`KEYS`](Impairment::KEYS), or the value is not what the key takes.
    ///
    /// ```
    /// use tcpstack::device::Impairment;
    /// let mut link = Impairment::NONE;
    /// link.set("loss", "1%")?;
    /// link.set("rate", "100mbit")?;
    /// assert_eq!((link.loss, link.rate), (0.01, Some(100_000_000)));
    /// # Ok::<(), tcpstack::device::impairment::ImpairmentError>(())
    /// ```
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), ImpairmentError> {
        let error =
            |expected| ImpairmentError { key: key.to_owned(), value: value.to_owned(), expected };
        let probability = || probability(value).ok_or_else(|| error(PROBABILITY));
        let time = || time(value).ok_or_else(|| error(TIME));
        match key {
            "loss" => self.loss = probability()?,
            "delay" => self.delay = time()?,
            "jitter" => self.jitter = time()?,
            "reorder" => self.reorder = probability()?,
            "duplicate" => self.duplicate = probability()?,
            "corrupt" => self.corrupt = probability()?,
            "rate" => self.rate = Some(rate(value).ok_or_else(|| error(RATE))?),
            "limit" => self.limit = packets(value).ok_or_else(|| error(LIMIT))?,
            "ecn" => self.ecn = Some(packets(value).ok_or_else(|| error(LIMIT))?),
            _ => {
                return Err(error(
                    "one of loss, delay, jitter, reorder, duplicate, corrupt, rate, limit, ecn",
                ));
            }
        }
        Ok(())
    }
}

fn packets(text: &str) -> Option<usize> {
    text.parse().ok().filter(|packets| (1..=65_536).contains(packets))
}

fn probability(text: &str) -> Option<f64> {
    let value = match text.strip_suffix('%') {
        Some(percent) => number(percent)? / 100.0,
        None => number(text)?,
    };
    (0.0..=1.0).contains(&value).then_some(value)
}

fn time(text: &str) -> Option<Duration> {
    let (value, unit) = split_unit(text);
    let seconds_per_unit = match unit {
        "ns" => 1e-9,
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        // Without a unit only zero has a meaning.
        "" if number(value)? == 0.0 => 0.0,
        _ => return None,
    };
    let seconds = number(value)? * seconds_per_unit;
    (0.0..=3600.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

fn rate(text: &str) -> Option<u64> {
    let (value, unit) = split_unit(text);
    let bits_per_unit = match unit {
        "bit" => 1.0,
        "kbit" => 1e3,
        "mbit" => 1e6,
        "gbit" => 1e9,
        _ => return None,
    };
    let bits_per_s = (number(value)? * bits_per_unit).round();
    (1.0..=1e12).contains(&bits_per_s).then_some(bits_per_s as u64)
}

fn split_unit(text: &str) -> (&str, &str) {
    let end = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len();
    text.split_at(end)
}

/// Digits with at most one point: no sign, exponent, `inf` or `nan`.
fn number(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_plain { text.parse().ok() } else { None }
}
