//! The payload of a packet: bytes shared with whoever has them too, in one slice or in several, that
//! can be cut at either end. None of them is ever copied, but where a single piece is asked for
//! ([`Payload::into_bytes`]) and there are several.

use bytes::Bytes;
use smallvec::SmallVec;

use super::checksum;

/// Bytes in order, as shared slices.
///
/// ```
/// use tcpstack::wire::payload::Payload;
/// let mut payload = Payload::from_iter(["seven ", "bytes"].map(bytes::Bytes::from));
/// assert_eq!((payload.len(), payload.get(6)), (11, Some(b'b')));
/// assert_eq!(payload.split_to(6).into_bytes(), "seven ");
/// payload.truncate(4);
/// assert_eq!(payload.into_bytes(), "byte");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Payload {
    /// None is empty.
    slices: SmallVec<[Bytes; 2]>,
    /// Of all of them.
    len: usize,
}

impl Payload {
    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes, none of the slices being empty.
    pub fn slices(&self) -> &[Bytes] {
        &self.slices
    }

    /// Puts `slice`, which is as long, in the place of one of the slices.
    pub(crate) fn replace(&mut self, index: usize, slice: Bytes) {
        debug_assert_eq!(self.slices[index].len(), slice.len(), "the length stays the same");
        self.slices[index] = slice;
    }

    /// The byte at that place, if there is one.
    pub fn get(&self, mut at: usize) -> Option<u8> {
        for slice in &self.slices {
            match slice.get(at) {
                Some(byte) => return Some(*byte),
                None => at -= slice.len(),
            }
        }
        None
    }

    /// Puts `slice` behind the rest.
    #[inline]
    pub fn push(&mut self, slice: Bytes) {
        if !slice.is_empty() {
            self.len += slice.len();
            self.slices.push(slice);
        }
    }

    /// Puts `slice` before the rest.
    pub fn push_front(&mut self, slice: Bytes) {
        if self.is_empty() {
            self.push(slice);
        } else if !slice.is_empty() {
            self.len += slice.len();
            self.slices.insert(0, slice);
        }
    }

    /// Cuts off the first `len` bytes, or all there are, and returns them.
    pub fn split_to(&mut self, len: usize) -> Payload {
        let mut front = Payload::default();
        let mut whole = 0;
        for slice in &mut self.slices {
            let wanted = len - front.len;
            if slice.len() > wanted {
                front.push(slice.split_to(wanted));
                break;
            }
            whole += 1;
            front.push(std::mem::take(slice));
        }
        self.slices.drain(..whole);
        self.len -= front.len;
        front
    }

    /// Keeps the first `len` bytes, or all there are.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        while self.len > len
            && let Some(last) = self.slices.last_mut()
        {
            let excess = self.len - len;
            if last.len() > excess {
                last.truncate(last.len() - excess);
                self.len = len;
            } else {
                self.len -= last.len();
                self.slices.pop();
            }
        }
    }

    /// Their ones' complement sum, as [`checksum::sum`] has it.
    pub fn sum(&self) -> u16 {
        let (mut sum, mut len) = (0, 0);
        for slice in &self.slices {
            sum = checksum::concat(sum, len, checksum::sum(slice));
            len += slice.len();
        }
        sum
    }

    /// All in one slice: a copy where there are several.
    pub fn into_bytes(mut self) -> Bytes {
        if self.slices.len() > 1 {
            return self.slices.concat().into();
        }
        self.slices.pop().unwrap_or_default()
    }
}

impl From<Bytes> for Payload {
    fn from(slice: Bytes) -> Payload {
        let mut payload = Payload::default();
        payload.push(slice);
        payload
    }
}

impl FromIterator<Bytes> for Payload {
    fn from_iter<I: IntoIterator<Item = Bytes>>(slices: I) -> Payload {
        let mut payload = Payload::default();
        slices.into_iter().for_each(|slice| payload.push(slice));
        payload
    }
}

impl IntoIterator for Payload {
    type Item = Bytes;
    type IntoIter = smallvec::IntoIter<[Bytes; 2]>;

    fn into_iter(self) -> Self::IntoIter {
        self.slices.into_iter()
    }
}

#[cfg(test)]
mod tests;
