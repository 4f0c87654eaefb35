//! TCP options (RFC 9293 §3.2, RFC 7323, RFC 2018, RFC 7413, RFC 9768, RFC 5482), emitted in Linux's order and padding.
//!
//! It guarantees that what is emitted is a multiple of 4 bytes and at most 40. It refuses to believe
//! an option whose length is wrong; which options count in which segment is the protocol's matter.

use smallvec::SmallVec;

use super::HEADER_CAPACITY;
use super::{read_u16, read_u32};

/// Option kinds.
const END_OF_LIST: u8 = 0;
const NO_OPERATION: u8 = 1;
const MAXIMUM_SEGMENT_SIZE: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;
const USER_TIMEOUT: u8 = 28;
const FAST_OPEN: u8 = 34;
const ACC_ECN_0: u8 = 172;
const ACC_ECN_1: u8 = 174;
/// Shared by experiments (RFC 6994); the two bytes after the length tell which.
const EXPERIMENT: u8 = 254;
const FAST_OPEN_MAGIC: [u8; 2] = [0xf9, 0x89];

/// Option lengths, kind and length bytes included.
const MSS_LEN: u8 = 4;
const WINDOW_SCALE_LEN: u8 = 3;
const SACK_PERMITTED_LEN: u8 = 2;
const TIMESTAMPS_LEN: u8 = 10;
const USER_TIMEOUT_LEN: u8 = 4;
/// With all three counters, and the NOP behind it.
const ACC_ECN_LEN: u8 = 11;
const ACC_ECN_ROOM: usize = 12;

/// The most that a data offset of 15 leaves for options.
const MAX_LEN: usize = 40;
/// A SACK block: left and right edge.
const BLOCK_LEN: usize = 8;
const MAX_BLOCKS: usize = 4;

/// The options that the stack knows; unknown ones are skipped on arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Maximum segment size, in bytes.
    pub mss: Option<u16>,
    /// The window's shift count as received; the protocol caps it at 14 (RFC 7323 §2.3).
    pub window_scale: Option<u8>,
    /// SACK permitted.
    pub sack_permitted: bool,
    /// TSval, TSecr.
    pub timestamps: Option<(u32, u32)>,
    /// Ranges received past a hole.
    pub sack: SackBlocks,
    /// A Fast Open cookie, or the request for one.
    pub fast_open: Option<FastOpenCookie>,
    /// The accurate ECN byte counters.
    pub accurate_ecn: Option<AccEcnOption>,
    /// The user timeout that the peer advises.
    pub user_timeout: Option<UserTimeout>,
}

impl Options {
    /// Reads a header's option bytes. An option with a length that is impossible ends the reading,
    /// since nobody can say where the next one starts; a known option with a length not its own is
    /// skipped; of two of a kind the last counts.
    ///
    /// RFC 9293 §3.1: end of list, no-operation and MSS are there (MUST-4); the rest is passed over
    /// (MUST-6) by its length octet (MUST-68), wherever it begins (MUST-64); a bad length does no harm
    /// (MUST-7).
    pub fn parse(bytes: &[u8]) -> Options {
        match bytes {
            // What nearly every segment bears, as nearly every stack writes it (RFC 7323, appendix A).
            [NO_OPERATION, NO_OPERATION, TIMESTAMPS, TIMESTAMPS_LEN, value @ ..]
                if value.len() == 8 =>
            {
                let timestamps = Some((read_u32(value, 0), read_u32(value, 4)));
                Options { timestamps, ..Options::default() }
            }
            _ => Options::parse_any(bytes),
        }
    }

    /// [`Options::parse`] for whatever there is.
    fn parse_any(mut bytes: &[u8]) -> Options {
        let mut options = Options::default();
        loop {
            bytes = match bytes {
                [] | [END_OF_LIST, ..] => return options,
                [NO_OPERATION, rest @ ..] => rest,
                [kind, len, ..] if *len >= 2 && usize::from(*len) <= bytes.len() => {
                    let (option, rest) = bytes.split_at(usize::from(*len));
                    options.read(*kind, &option[2..]);
                    rest
                }
                _ => return options,
            };
        }
    }

    /// Takes over one option, given what follows its kind and length.
    fn read(&mut self, kind: u8, value: &[u8]) {
        match (kind, value) {
            (MAXIMUM_SEGMENT_SIZE, [_, _]) => self.mss = Some(read_u16(value, 0)),
            (WINDOW_SCALE, [shift]) => self.window_scale = Some(*shift),
            (SACK_PERMITTED, []) => self.sack_permitted = true,
            (TIMESTAMPS, [_, _, _, _, _, _, _, _]) => {
                self.timestamps = Some((read_u32(value, 0), read_u32(value, 4)));
            }
            (SACK, value) => {
                if let (blocks @ [_, ..], []) = value.as_chunks::<BLOCK_LEN>() {
                    self.sack = SackBlocks::default();
                    for block in blocks {
                        self.sack.push(read_u32(block, 0), read_u32(block, 4));
                    }
                }
            }
            (FAST_OPEN, value) => self.read_fast_open(value, false),
            (EXPERIMENT, [high, low, value @ ..]) if [*high, *low] == FAST_OPEN_MAGIC => {
                self.read_fast_open(value, true);
            }
            (ACC_ECN_0 | ACC_ECN_1, value) => {
                self.accurate_ecn = AccEcnOption::read(kind, value).or(self.accurate_ecn);
            }
            (USER_TIMEOUT, [_, _]) => self.user_timeout = Some(UserTimeout(read_u16(value, 0))),
            _ => {}
        }
    }

    fn read_fast_open(&mut self, value: &[u8], is_experimental: bool) {
        if let Some(cookie) = FastOpenCookie::new(value) {
            self.fast_open = Some(FastOpenCookie { is_experimental, ..cookie });
        }
    }

    /// Length in bytes of what [`Options::emit`] appends: a multiple of 4, at most 40.
    pub fn len(&self) -> usize {
        match self.timestamps {
            _ if self.has_more_than_timestamps() => self.len_of_any(),
            Some(_) => usize::from(TIMESTAMPS_LEN) + 2,
            None => 0,
        }
    }

    fn len_of_any(&self) -> usize {
        let blocks = self.blocks_that_fit().len();
        let sack = if blocks == 0 { 0 } else { 4 + blocks * BLOCK_LEN };
        self.len_without_sack() + sack
    }

    /// Whether there is no option.
    pub fn is_empty(&self) -> bool {
        *self == Options::default()
    }

    /// Appends the options. Those that come in less than a multiple of 4 bytes have NOPs before
    /// them, so that every number lies on a 32-bit boundary; SACK permitted takes the place of the
    /// timestamps' NOPs where both are there. SACK blocks go as far as there is room: 4 alone, 3
    /// beside timestamps, fewer beside rarer ones. What is padded so needs no end of list, nor zeros after it (MUST-69).
    pub fn emit(&self, out: &mut SmallVec<[u8; HEADER_CAPACITY]>) {
        match self.timestamps {
            _ if self.has_more_than_timestamps() => self.emit_any(out),
            Some((value, echo_reply)) => {
                let mut bytes = [NO_OPERATION; 12];
                (bytes[2], bytes[3]) = (TIMESTAMPS, TIMESTAMPS_LEN);
                bytes[4..8].copy_from_slice(&value.to_be_bytes());
                bytes[8..].copy_from_slice(&echo_reply.to_be_bytes());
                out.extend_from_slice(&bytes);
            }
            None => {}
        }
    }

    /// Whether there is anything beside what nearly every segment bears.
    fn has_more_than_timestamps(&self) -> bool {
        self.mss.is_some()
            || self.window_scale.is_some()
            || self.sack_permitted
            || !self.sack.as_slice().is_empty()
            || self.fast_open.is_some()
            || self.accurate_ecn.is_some()
            || self.user_timeout.is_some()
    }

    /// [`Options::emit`] for whatever there is.
    fn emit_any(&self, out: &mut SmallVec<[u8; HEADER_CAPACITY]>) {
        const NOP: u8 = NO_OPERATION;
        if let Some(mss) = self.mss {
            out.extend_from_slice(&[MAXIMUM_SEGMENT_SIZE, MSS_LEN]);
            out.extend_from_slice(&mss.to_be_bytes());
        }
        if self.sack_permitted && self.timestamps.is_none() {
            out.extend_from_slice(&[NOP, NOP]);
        }
        if self.sack_permitted {
            out.extend_from_slice(&[SACK_PERMITTED, SACK_PERMITTED_LEN]);
        }
        if let Some((value, echo_reply)) = self.timestamps {
            if !self.sack_permitted {
                out.extend_from_slice(&[NOP, NOP]);
            }
            out.extend_from_slice(&[TIMESTAMPS, TIMESTAMPS_LEN]);
            out.extend_from_slice(&value.to_be_bytes());
            out.extend_from_slice(&echo_reply.to_be_bytes());
        }
        let room = self.room();
        if let Some(option) = self.accurate_ecn.filter(|_| room.accurate_ecn) {
            option.emit(out);
        }
        if let Some(shift) = self.window_scale {
            out.extend_from_slice(&[NOP, WINDOW_SCALE, WINDOW_SCALE_LEN, shift]);
        }
        let blocks = self.blocks_that_fit();
        if !blocks.is_empty() {
            out.extend_from_slice(&[NOP, NOP, SACK, (2 + blocks.len() * BLOCK_LEN) as u8]);
        }
        for (left, right) in blocks {
            out.extend_from_slice(&left.to_be_bytes());
            out.extend_from_slice(&right.to_be_bytes());
        }
        if let Some(cookie) = self.fast_open.filter(|_| room.fast_open) {
            cookie.emit(out);
        }
        if let Some(UserTimeout(field)) = self.user_timeout.filter(|_| room.user_timeout) {
            out.extend_from_slice(&[USER_TIMEOUT, USER_TIMEOUT_LEN]);
            out.extend_from_slice(&field.to_be_bytes());
        }
    }

    /// Length of all but SACK, padding included.
    fn len_without_sack(&self) -> usize {
        let room = self.room();
        let fast_open = self.fast_open.filter(|_| room.fast_open);
        self.len_of_the_basic()
            + fast_open.map_or(0, FastOpenCookie::len_padded)
            + if room.accurate_ecn { ACC_ECN_ROOM } else { 0 }
            + if room.user_timeout { usize::from(USER_TIMEOUT_LEN) } else { 0 }
    }

    /// Which of the rarer options find room, the first of them first. SACK blocks take what is left.
    fn room(&self) -> Room {
        let mut left = MAX_LEN - self.len_of_the_basic();
        let mut take = |len: Option<usize>| match len {
            Some(len) if len <= left => {
                left -= len;
                true
            }
            _ => false,
        };
        Room {
            fast_open: take(self.fast_open.map(FastOpenCookie::len_padded)),
            accurate_ecn: take(self.accurate_ecn.map(|_| ACC_ECN_ROOM)),
            user_timeout: take(self.user_timeout.map(|_| usize::from(USER_TIMEOUT_LEN))),
        }
    }

    /// Length of MSS, SACK permitted, timestamps and window scale: at most 20.
    fn len_of_the_basic(&self) -> usize {
        let mss = if self.mss.is_some() { 4 } else { 0 };
        let sack_permitted_and_timestamps = match (self.sack_permitted, self.timestamps) {
            (_, Some(_)) => 12,
            (true, None) => 4,
            (false, None) => 0,
        };
        let window_scale = if self.window_scale.is_some() { 4 } else { 0 };
        mss + sack_permitted_and_timestamps + window_scale
    }

    fn blocks_that_fit(&self) -> &[(u32, u32)] {
        let room = MAX_LEN.saturating_sub(self.len_without_sack() + 4) / BLOCK_LEN;
        let blocks = self.sack.as_slice();
        &blocks[..blocks.len().min(room)]
    }
}

/// Which of the rarer options find room.
#[derive(Clone, Copy)]
struct Room {
    fast_open: bool,
    accurate_ecn: bool,
    user_timeout: bool,
}

/// A Fast Open cookie of 4 to 16 bytes, an even number; of none it is the request for one
/// (RFC 7413 §4.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FastOpenCookie {
    bytes: [u8; 16],
    len: u8,
    /// It came in the experimental option 254, and is answered in it.
    pub is_experimental: bool,
}

impl FastOpenCookie {
    /// The request for a cookie.
    pub const REQUEST: FastOpenCookie =
        FastOpenCookie { bytes: [0; 16], len: 0, is_experimental: false };

    /// A cookie of these bytes; None when their number is not one that a cookie may have.
    pub fn new(value: &[u8]) -> Option<FastOpenCookie> {
        if !matches!(value.len(), 0 | 4..=16) || value.len() % 2 == 1 {
            return None;
        }
        let mut bytes = [0; 16];
        bytes[..value.len()].copy_from_slice(value);
        Some(FastOpenCookie { bytes, len: value.len() as u8, is_experimental: false })
    }

    /// The cookie's bytes; none for a request.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The same in the experimental option, or in the assigned one.
    pub fn in_experiment(self, is_experimental: bool) -> FastOpenCookie {
        FastOpenCookie { is_experimental, ..self }
    }

    /// Whether it asks for a cookie rather than being one.
    pub fn is_request(&self) -> bool {
        self.len == 0
    }

    /// Kind, length and the experiment's number, in bytes.
    fn overhead(self) -> usize {
        if self.is_experimental { 4 } else { 2 }
    }

    /// Length with the NOPs that follow it, as on Linux.
    fn len_padded(self) -> usize {
        (self.overhead() + usize::from(self.len)).next_multiple_of(4)
    }

    fn emit(self, out: &mut SmallVec<[u8; HEADER_CAPACITY]>) {
        let len = self.overhead() + usize::from(self.len);
        if self.is_experimental {
            out.extend_from_slice(&[EXPERIMENT, len as u8]);
            out.extend_from_slice(&FAST_OPEN_MAGIC);
        } else {
            out.extend_from_slice(&[FAST_OPEN, len as u8]);
        }
        out.extend_from_slice(self.as_slice());
        out.extend(std::iter::repeat_n(NO_OPERATION, self.len_padded() - len));
    }
}

/// The byte counters of accurate ECN, each modulo 2^24 (RFC 9768 §3.2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccEcnCounters {
    /// EE0B: bytes that arrived as ECT(0).
    pub ect0: u32,
    /// ECEB: bytes that arrived marked.
    pub ce: u32,
    /// EE1B: bytes that arrived as ECT(1).
    pub ect1: u32,
}

/// The accurate ECN option: the counters that it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccEcnOption {
    /// EE0B.
    pub ect0: Option<u32>,
    /// ECEB.
    pub ce: Option<u32>,
    /// EE1B.
    pub ect1: Option<u32>,
}

impl AccEcnOption {
    /// Kind 172 has EE0B first, kind 174 EE1B; either may end after any counter.
    fn read(kind: u8, value: &[u8]) -> Option<AccEcnOption> {
        if !matches!(value.len(), 0 | 3 | 6 | 9) {
            return None;
        }
        let counter = |at: usize| {
            let bytes = value.get(3 * at..3 * at + 3)?;
            Some(u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]))
        };
        let (ect0, ect1) = if kind == ACC_ECN_0 { (0, 2) } else { (2, 0) };
        Some(AccEcnOption { ect0: counter(ect0), ce: counter(1), ect1: counter(ect1) })
    }

    /// All three, counters that are missing as 0.
    fn emit(self, out: &mut SmallVec<[u8; HEADER_CAPACITY]>) {
        out.extend_from_slice(&[ACC_ECN_0, ACC_ECN_LEN]);
        for counter in [self.ect0, self.ce, self.ect1] {
            out.extend_from_slice(&counter.unwrap_or(0).to_be_bytes()[1..]);
        }
        out.push(NO_OPERATION);
    }
}

impl From<AccEcnCounters> for AccEcnOption {
    fn from(counters: AccEcnCounters) -> AccEcnOption {
        let AccEcnCounters { ect0, ce, ect1 } = counters;
        AccEcnOption { ect0: Some(ect0), ce: Some(ce), ect1: Some(ect1) }
    }
}

/// The user timeout option's field: 15 bits of seconds, or of minutes where the first bit is set
/// (RFC 5482 §3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserTimeout(pub u16);

impl UserTimeout {
    /// The field for a timeout: seconds as far as they go, else minutes rounded up, at most 32,767.
    pub fn of(timeout: std::time::Duration) -> UserTimeout {
        let seconds = timeout.as_secs() + u64::from(timeout.subsec_nanos() > 0);
        match u16::try_from(seconds) {
            Ok(seconds) if seconds <= MAX_UNITS => UserTimeout(seconds),
            _ => UserTimeout(MINUTES | seconds.div_ceil(60).min(MAX_UNITS.into()) as u16),
        }
    }

    /// The timeout that the field stands for; None for 0, which is reserved.
    pub fn duration(self) -> Option<std::time::Duration> {
        let units = u64::from(self.0 & MAX_UNITS);
        let seconds = if self.0 & MINUTES == 0 { units } else { 60 * units };
        (units > 0).then(|| std::time::Duration::from_secs(seconds))
    }
}

/// The granularity bit.
const MINUTES: u16 = 0x8000;
const MAX_UNITS: u16 = 0x7fff;

/// At most 4 blocks `[left, right)` in 32-bit sequence numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SackBlocks {
    blocks: [(u32, u32); MAX_BLOCKS],
    len: u8,
}

impl SackBlocks {
    /// The blocks, in the order in which they were pushed or received.
    pub fn as_slice(&self) -> &[(u32, u32)] {
        &self.blocks[..usize::from(self.len)]
    }

    /// Adds the block `[left, right)`; false, and nothing added, when there are 4 already.
    pub fn push(&mut self, left: u32, right: u32) -> bool {
        let Some(block) = self.blocks.get_mut(usize::from(self.len)) else { return false };
        *block = (left, right);
        self.len += 1;
        true
    }
}

#[cfg(test)]
mod tests;
