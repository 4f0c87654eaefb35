//! Bytes on the wire and the typed headers they stand for. No state, no policy.
//!
//! Parsing trusts nothing: every length is checked against the bytes that are there, and what
//! cannot be used is a [`Malformed`] that says why. What is emitted parses to the same header.

pub mod checksum;
pub mod coalesce;
pub mod fragment;
pub mod icmp;
pub mod icmp_report;
pub mod ip;
mod ipv4;
mod ipv6;
pub mod packet;
pub mod payload;
pub mod segmentation;
pub mod tcp;
pub mod tcp_options;

/// The longest IP and TCP header that the stack sends: 40 bytes of IPv6 and 60 of TCP, rounded up.
pub const HEADER_CAPACITY: usize = 128;

/// Why bytes are not a usable packet; each has a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    /// Fewer bytes than the headers take, or than the IP length field says.
    #[error("the packet is shorter than its headers say")]
    Truncated,
    /// Wrong IP version.
    #[error("the IP version is neither 4 nor 6")]
    Version,
    /// A length field contradicts another, or is below the smallest header.
    #[error("a length field is out of bounds")]
    Length,
    /// The IPv4 header's or the transport's checksum is wrong.
    #[error("the checksum is wrong")]
    Checksum,
    /// A part of a packet only; [`fragment`] reads it.
    #[error("the packet is a fragment")]
    Fragment,
    /// An IPv4 source route: such packets are refused (RFC 7126 §4.3, §4.4).
    #[error("the packet bears a source route")]
    SourceRoute,
    /// IPv6 extension headers that are too many, out of place, or say that a node that does not
    /// know their content must drop the packet.
    #[error("the IPv6 extension headers are too many or not understood")]
    ExtensionHeaders,
    /// A header field about which the sender is to be told.
    #[error("a header field cannot be processed")]
    Problem(Problem),
}

/// What an ICMP parameter problem tells the sender (RFC 792, RFC 4443 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// The field concerned, in bytes from the start of the packet.
    pub pointer: u16,
}

/// What is wrong with a header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// Its value makes no sense.
    ErroneousField,
    /// It names a next header that this node does not know (IPv6 only).
    UnrecognizedNextHeader,
    /// It is an option that a node has to know (IPv6 only).
    UnrecognizedOption,
    /// The first fragment ends before the transport header does (IPv6 only; RFC 7112 §5).
    IncompleteFirstFragment,
}

impl ProblemKind {
    /// The failure that tells the sender of the field at `pointer`.
    fn at(self, pointer: usize) -> Malformed {
        Malformed::Problem(Problem { kind: self, pointer: length_field(pointer) })
    }
}

/// The 16-bit number at `at`, in network byte order. The caller has checked the length.
fn read_u16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// The 32-bit number at `at`, in network byte order. The caller has checked the length.
fn read_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Overwrites the 16-bit number at `at`, in network byte order. The caller has checked the length.
fn write_u16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

/// Overwrites the 32-bit number at `at`, in network byte order. The caller has checked the length.
fn write_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

/// A length as a 16-bit field. Whoever builds a packet keeps it within 65,535 bytes.
fn length_field(len: usize) -> u16 {
    debug_assert!(len <= usize::from(u16::MAX), "{len} bytes do not fit into one IP packet");
    u16::try_from(len).unwrap_or(u16::MAX)
}
