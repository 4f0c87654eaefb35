//! A capture into a run of what an onlooker can tell: a stack that nobody here wrote, seen from one
//! place on the way. Each packet is an event of its sender, at the onlooker's time; what became of it
//! then is not known, nor are calls, states and reasons, and none are made up.
//!
//! Whatever the file holds, reading it ends, panics nowhere and needs memory in proportion to the
//! file: at most [`MOST_SEGMENTS`] segments are taken.

mod file;
mod link;
mod onlooker;
mod remarks;
mod segment;

use std::io::Read;

use tcpstack::wire::Malformed;

use crate::run::{FORMAT, Fate, Flight, Host, Origin, Places, Role, Run, Text, VERSION};
use crate::run::{find_conversations, hosts_of};
use file::{Packet, read_packets};
use onlooker::Onlooker;
use remarks::{Skips, remarks};
use segment::Segment;

/// So many segments of a capture are taken, the first ones: more than anybody looks at one by one.
pub const MOST_SEGMENTS: usize = 200_000;

/// Why a file is no capture. Packets count from 1, offsets in bytes from the file's beginning.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// It begins like neither of the formats.
    #[error("neither pcap nor pcapng: such files begin with a1b2c3d4, a1b23c4d or 0a0d0d0a")]
    NotACapture,
    /// It ends inside its first header.
    #[error("the file ends before its first packet; the header of a capture has 24 bytes at least")]
    TooShort,
    /// The system could not read it.
    #[error("cannot be read from byte {offset} on")]
    Unreadable {
        /// Where.
        offset: u64,
    },
    /// A block contradicts itself.
    #[error("packet {number} at byte {offset}: the block's lengths contradict each other")]
    Block {
        /// The packet that would have come next.
        number: u64,
        /// Where.
        offset: u64,
    },
    /// A block longer than any packet.
    #[error(
        "packet {number} at byte {offset}: the block is longer than 16 MiB, which no packet is"
    )]
    TooLong {
        /// The packet that would have come next.
        number: u64,
        /// Where.
        offset: u64,
    },
    /// A packet names an interface that the file has not described.
    #[error(
        "packet {number} at byte {offset}: seen on interface {interface}, but the file describes {known} (they count from 0)"
    )]
    Interface {
        /// Which packet.
        number: u64,
        /// Where.
        offset: u64,
        /// Which interface it names.
        interface: u32,
        /// How many there are.
        known: usize,
    },
}

/// Why a packet is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skipped {
    /// It is no IP packet.
    NotIp,
    /// It carries something else than TCP.
    NotTcp,
    /// It is a part of a packet.
    Fragment,
    /// Too little of it was kept.
    CutShort,
    /// Its link type is not known here.
    Link(u16),
    /// It cannot be what it says.
    Malformed(Malformed),
}

impl Skipped {
    /// What lacks bytes was cut by the capturing program, unless the packet was there as a whole.
    fn cut_or(is_whole: bool, malformed: Malformed) -> Skipped {
        if is_whole { Skipped::Malformed(malformed) } else { Skipped::CutShort }
    }
}

/// The run that the capture `input` shows; `name` is what it is called.
///
/// # Errors
/// What [`CaptureError`] lists. A file that ends inside a packet is no error: a remark says so, as it
/// does of packets that are left out, see [`Origin::Captured`].
pub fn run(name: &str, input: impl Read + Send) -> Result<Run, CaptureError> {
    let mut onlooker = Onlooker::default();
    let mut skips = Skips::default();
    let mut time_ns = 0;
    let cut_short = read_packets(input, |packet| {
        if onlooker.events.len() == MOST_SEGMENTS {
            skips.is_too_long = true;
            return false;
        }
        // A packet without a time was seen after the one before it.
        time_ns = packet.time_ns.unwrap_or(time_ns);
        match segment_of(&packet) {
            Ok(segment) => onlooker.see(time_ns, &segment),
            Err(skipped) => skips.note(skipped, packet.number, packet.offset),
        }
        true
    })?;
    let remarks = remarks(&onlooker, &skips, cut_short);
    Ok(run_of(name, onlooker, remarks))
}

/// The segment in a packet of the file.
fn segment_of<'a>(packet: &Packet<'a>) -> Result<Segment<'a>, Skipped> {
    let ip = link::ip_packet(packet.link, packet.data)?;
    let before = packet.data.len() - ip.len();
    Segment::read(ip, packet.len - before)
}

fn run_of(name: &str, onlooker: Onlooker, remarks: Vec<Text>) -> Run {
    let own = onlooker.own_ends.iter().map(|end| Host {
        name: end.to_string(),
        role: Role::Peer,
        addresses: vec![end.ip()],
        recorded: false,
    });
    let own: Vec<Host> = own.collect();
    let events = onlooker.into_events();
    let conversations = find_conversations(&events);
    let hosts = hosts_of(&events, &conversations, own);
    let places = Places::of(&hosts);
    let flights = events.iter().enumerate().filter_map(|(at, event)| {
        let name = event.connection?;
        Some(Flight {
            from: places.at(name.local)?,
            to: places.at(name.remote?)?,
            number: None,
            sent: Some(at),
            received: None,
            sent_ns: Some(event.time_ns),
            received_ns: None,
            fate: Fate::Unwitnessed,
            lost_segments: 0,
            rule: None,
        })
    });
    let flights = flights.collect();
    Run {
        format: FORMAT.to_owned(),
        version: VERSION,
        origin: Origin::Captured { file: name.to_owned(), remarks },
        title: Text { en: format!("Captured: {name}"), zh: format!("抓包：{name}") },
        hosts,
        events,
        flights,
        calls: Vec::new(),
        limits: Vec::new(),
        landmarks: Vec::new(),
        questions: Vec::new(),
        listings: Vec::new(),
        window: None,
    }
}
