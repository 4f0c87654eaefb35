//! How an option's value lies in the caller's memory: the length rules, the ranges and the cuts that
//! Linux has for each kind of option, and nothing about what an option means.
//!
//! A value of a wrong length or out of its range is `Invalid`; no pointer is followed here.

use std::time::Duration;

use smallvec::SmallVec;

use super::super::{Error, MtuDiscover};
use crate::knobs::CongestionAlgorithm;
use crate::tcp::fast_open::CookieKeys;

/// An option's value as getsockopt hands it out, in the machine's byte order.
pub type Encoded = SmallVec<[u8; 16]>;

/// Linux's TCP_CA_NAME_MAX: bytes of a congestion control's name, its NUL among them.
const ALGORITHM_NAME_MAX: usize = 16;

/// How an option's value lies in memory, and which values it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An int: 0 is off, anything else on.
    Switch,
    /// An int: 0 is off, 1 on, nothing else is valid.
    Binary,
    /// An int from `min` to `max`.
    Number {
        /// The least.
        min: i32,
        /// The greatest.
        max: i32,
    },
    /// As `Number`, and one byte will do (the options of IPPROTO_IP).
    ByteOrNumber {
        /// The least.
        min: i32,
        /// The greatest.
        max: i32,
    },
    /// An int, read as unsigned: any value is valid, and cut to what the stack allows.
    Size,
    /// An int: whole seconds from `min` to `max`.
    Seconds {
        /// The least.
        min: i32,
        /// The greatest.
        max: i32,
    },
    /// An int: milliseconds from `min` to `max`.
    Milliseconds {
        /// The least.
        min: i32,
        /// The greatest.
        max: i32,
    },
    /// `struct linger`.
    Linger,
    /// `struct timeval`.
    Time,
    /// Characters, with or without a NUL; padded with NULs when read.
    Text,
    /// 16 bytes, or 32.
    Keys,
    /// An unsigned long, or an unsigned int where there is no room for one; all ones: no limit.
    Rate,
}

impl Shape {
    /// The numbers that it takes; None for what is no int.
    pub fn range(self) -> Option<(i64, i64)> {
        match self {
            Shape::Switch => Some((i32::MIN.into(), i32::MAX.into())),
            Shape::Binary => Some((0, 1)),
            Shape::Size => Some((0, u32::MAX.into())),
            Shape::Number { min, max }
            | Shape::ByteOrNumber { min, max }
            | Shape::Seconds { min, max }
            | Shape::Milliseconds { min, max } => Some((min.into(), max.into())),
            Shape::Linger | Shape::Time | Shape::Text | Shape::Keys | Shape::Rate => None,
        }
    }

    /// The int that `bytes` starts with.
    fn read(self, bytes: &[u8]) -> Result<i64, Error> {
        match (self, bytes.first_chunk()) {
            (Shape::Size, Some(int)) => Ok(u32::from_ne_bytes(*int).into()),
            (_, Some(int)) => Ok(i32::from_ne_bytes(*int).into()),
            // Linux: ip_sockglue takes a byte from those who give less than an int.
            (Shape::ByteOrNumber { .. }, None) => {
                bytes.first().map(|byte| i64::from(*byte)).ok_or(Error::Invalid)
            }
            (_, None) => Err(Error::Invalid),
        }
    }

    fn write(self, number: i64, room: usize) -> Encoded {
        // A size beyond INT_MAX is a negative int to C.
        let int = i32::try_from(number)
            .or_else(|_| u32::try_from(number).map(u32::cast_signed))
            .unwrap_or(i32::MAX);
        match (self, u8::try_from(int)) {
            (Shape::ByteOrNumber { .. }, Ok(byte)) if (1..4).contains(&room) => {
                Encoded::from_slice(&[byte])
            }
            _ => cut(&int.to_ne_bytes(), room),
        }
    }
}

/// A value that options have.
pub(super) trait OptionValue: Copy {
    /// The value at the start of `bytes`.
    fn decode(shape: Shape, bytes: &[u8]) -> Result<Self, Error>;

    /// Its bytes, as many as have room.
    fn encode(self, shape: Shape, room: usize) -> Encoded;

    /// Whether the option takes it.
    fn is_within(self, shape: Shape) -> bool;
}

/// A value that is an int to C.
pub(super) trait Number: Copy {
    /// None: no such value.
    fn from_number(shape: Shape, number: i64) -> Option<Self>;
    fn number(self, shape: Shape) -> i64;
}

impl<T: Number> OptionValue for T {
    fn decode(shape: Shape, bytes: &[u8]) -> Result<T, Error> {
        let number = shape.read(bytes)?;
        let is_within = shape.range().is_some_and(|(min, max)| (min..=max).contains(&number));
        is_within.then(|| T::from_number(shape, number)).flatten().ok_or(Error::Invalid)
    }

    fn encode(self, shape: Shape, room: usize) -> Encoded {
        shape.write(self.number(shape), room)
    }

    fn is_within(self, shape: Shape) -> bool {
        let number = self.number(shape);
        shape.range().is_some_and(|(min, max)| (min..=max).contains(&number))
    }
}

impl Number for bool {
    fn from_number(_: Shape, number: i64) -> Option<bool> {
        Some(number != 0)
    }

    fn number(self, _: Shape) -> i64 {
        self.into()
    }
}

impl Number for u8 {
    fn from_number(_: Shape, number: i64) -> Option<u8> {
        number.try_into().ok()
    }

    fn number(self, _: Shape) -> i64 {
        self.into()
    }
}

impl Number for u16 {
    fn from_number(_: Shape, number: i64) -> Option<u16> {
        number.try_into().ok()
    }

    fn number(self, _: Shape) -> i64 {
        self.into()
    }
}

impl Number for u32 {
    fn from_number(_: Shape, number: i64) -> Option<u32> {
        number.try_into().ok()
    }

    fn number(self, _: Shape) -> i64 {
        self.into()
    }
}

impl Number for i32 {
    fn from_number(_: Shape, number: i64) -> Option<i32> {
        number.try_into().ok()
    }

    fn number(self, _: Shape) -> i64 {
        self.into()
    }
}

impl Number for MtuDiscover {
    fn from_number(_: Shape, number: i64) -> Option<MtuDiscover> {
        MtuDiscover::from_number(number)
    }

    fn number(self, _: Shape) -> i64 {
        self as i64
    }
}

/// -1 stands for None: what the stack does by itself.
impl Number for Option<u8> {
    fn from_number(_: Shape, number: i64) -> Option<Option<u8>> {
        match number {
            -1 => Some(None),
            _ => number.try_into().ok().map(Some),
        }
    }

    fn number(self, _: Shape) -> i64 {
        self.map_or(-1, i64::from)
    }
}

impl Number for Duration {
    fn from_number(shape: Shape, number: i64) -> Option<Duration> {
        let count = u64::try_from(number).ok()?;
        Some(match shape {
            Shape::Milliseconds { .. } => Duration::from_millis(count),
            _ => Duration::from_secs(count),
        })
    }

    fn number(self, shape: Shape) -> i64 {
        let count = match shape {
            Shape::Milliseconds { .. } => self.as_millis(),
            _ => self.as_secs().into(),
        };
        count.try_into().unwrap_or(i64::MAX)
    }
}

/// `struct linger` with None as off, or `struct timeval` with None as no limit.
impl OptionValue for Option<Duration> {
    fn decode(shape: Shape, bytes: &[u8]) -> Result<Option<Duration>, Error> {
        match shape {
            Shape::Linger => linger_from(bytes),
            _ => time_from(bytes),
        }
    }

    fn encode(self, shape: Shape, room: usize) -> Encoded {
        let time = self.unwrap_or_default();
        let bytes: SmallVec<[u8; 16]> = match shape {
            Shape::Linger => {
                let seconds = i32::try_from(time.as_secs()).unwrap_or(i32::MAX);
                let fields = [i32::from(self.is_some()), seconds];
                fields.iter().flat_map(|field| field.to_ne_bytes()).collect()
            }
            _ => {
                let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
                let fields = [seconds, time.subsec_micros().into()];
                fields.iter().flat_map(|field| field.to_ne_bytes()).collect()
            }
        };
        cut(&bytes, room)
    }

    fn is_within(self, _: Shape) -> bool {
        true
    }
}

/// `struct linger { int l_onoff; int l_linger; }`; a negative time is as good as endless.
fn linger_from(bytes: &[u8]) -> Result<Option<Duration>, Error> {
    let (on, rest) = bytes.split_first_chunk().ok_or(Error::Invalid)?;
    let seconds = rest.first_chunk().ok_or(Error::Invalid)?;
    let seconds = i32::from_ne_bytes(*seconds).try_into().unwrap_or(u64::from(u32::MAX));
    Ok((i32::from_ne_bytes(*on) != 0).then(|| Duration::from_secs(seconds)))
}

/// `struct timeval`: zero is no limit, and a negative time has passed already.
fn time_from(bytes: &[u8]) -> Result<Option<Duration>, Error> {
    let (seconds, rest) = bytes.split_first_chunk().ok_or(Error::Invalid)?;
    let micros = rest.first_chunk().ok_or(Error::Invalid)?;
    let (seconds, micros) = (i64::from_ne_bytes(*seconds), i64::from_ne_bytes(*micros));
    if !(0..1_000_000).contains(&micros) {
        return Err(Error::OutOfDomain);
    }
    let Ok(seconds) = u64::try_from(seconds) else { return Ok(Some(Duration::ZERO)) };
    let time = Duration::from_secs(seconds) + Duration::from_micros(micros.unsigned_abs());
    Ok((!time.is_zero()).then_some(time))
}

impl OptionValue for CongestionAlgorithm {
    fn decode(_: Shape, bytes: &[u8]) -> Result<CongestionAlgorithm, Error> {
        if bytes.is_empty() {
            return Err(Error::Invalid);
        }
        let bytes = &bytes[..bytes.len().min(ALGORITHM_NAME_MAX - 1)];
        let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        let name = std::str::from_utf8(name).map_err(|_| Error::NoSuchName)?;
        CongestionAlgorithm::named(name).ok_or(Error::NoSuchName)
    }

    fn encode(self, _: Shape, room: usize) -> Encoded {
        let mut name = [0; ALGORITHM_NAME_MAX];
        name[..self.name().len()].copy_from_slice(self.name().as_bytes());
        cut(&name, room)
    }

    fn is_within(self, _: Shape) -> bool {
        true
    }
}

/// Linux takes exactly as many bytes as one or two keys have.
impl OptionValue for CookieKeys {
    fn decode(_: Shape, bytes: &[u8]) -> Result<CookieKeys, Error> {
        CookieKeys::from_bytes(bytes).ok_or(Error::Invalid)
    }

    fn encode(self, _: Shape, room: usize) -> Encoded {
        cut(&self.to_bytes(), room)
    }

    fn is_within(self, _: Shape) -> bool {
        true
    }
}

/// Bytes per second; None: no limit.
impl OptionValue for Option<u64> {
    fn decode(_: Shape, bytes: &[u8]) -> Result<Option<u64>, Error> {
        if let Some(long) = bytes.first_chunk() {
            return Ok(Some(u64::from_ne_bytes(*long)).filter(|rate| *rate != u64::MAX));
        }
        let int = bytes.first_chunk().ok_or(Error::Invalid)?;
        Ok(Some(u32::from_ne_bytes(*int)).filter(|rate| *rate != u32::MAX).map(u64::from))
    }

    fn encode(self, _: Shape, room: usize) -> Encoded {
        let rate = self.unwrap_or(u64::MAX);
        if room >= size_of::<u64>() {
            return cut(&rate.to_ne_bytes(), room);
        }
        cut(&u32::try_from(rate).unwrap_or(u32::MAX).to_ne_bytes(), room)
    }

    fn is_within(self, _: Shape) -> bool {
        true
    }
}

/// As many of the bytes as have room.
fn cut(bytes: &[u8], room: usize) -> Encoded {
    Encoded::from_slice(&bytes[..bytes.len().min(room)])
}
