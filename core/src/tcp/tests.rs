//! Scripts for one connection: a segment in, a segment out, a tick of the clock.
//!
//! Numbers are relative, as in the RFC's figures: our SYN and the peer's SYN are number 0.

mod arrival;
mod closing;
mod ecn;
mod handshake;
mod info;
mod liveness;
mod options;
mod pacing;
mod reasons;
mod receiving;
mod rfc9293;
mod sacking;
mod sending;
mod small_segments;
mod table;
mod urgent;
mod user_timeout;
mod view;

use std::time::Duration;

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use super::connection::{Connection, Context, Outgoing, Settings};
use super::isn::Origin;
use super::state::State;
use crate::blocks::Blocks;
use crate::error::Error;
use crate::event::{ConnectionName, EventLog, Snapshot};
use crate::knobs::Knobs;
use crate::tcp::{SendFlags, Shutdown};
use crate::time::Instant;
use crate::wire::ip::Ecn;
use crate::wire::tcp::{Flags, Header};
use crate::wire::tcp_options::Options;

const ISS: u32 = 0xffff_fff0;
/// Where our numbers start; the timestamp clock is 1000 s ahead of the host's.
const ORIGIN: Origin = Origin { iss: ISS, ts_offset: 1_000_000 };
const IRS: u32 = 7_000;
const WINDOW: u16 = 60_000;

pub(super) const SYN: Flags = Flags::SYN;
pub(super) const ACK: Flags = Flags::ACK;
pub(super) const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
pub(super) const FIN_ACK: Flags = Flags::FIN.union(Flags::ACK);
pub(super) const PSH_ACK: Flags = Flags::PSH.union(Flags::ACK);
pub(super) const RST: Flags = Flags::RST;
pub(super) const RST_ACK: Flags = Flags::RST.union(Flags::ACK);

/// A connection whose peer is the test.
pub(super) struct Script {
    pub(super) connection: Connection,
    pub(super) now: Instant,
    pub(super) knobs: Knobs,
    log: EventLog,
    blocks: Blocks,
    mtu: usize,
    gso_max: usize,
    window: u16,
}

/// What the peer sends; relative numbers.
#[derive(Clone, Copy)]
pub(super) struct In<'a> {
    pub(super) seq: u32,
    pub(super) ack: Option<u32>,
    pub(super) flags: Flags,
    pub(super) text: &'a [u8],
    pub(super) window: Option<u16>,
    pub(super) urgent: u16,
    pub(super) options: Options,
    pub(super) ecn: Ecn,
}

/// A segment of the peer, from its number on.
pub(super) fn seg(flags: Flags, seq: u32) -> In<'static> {
    In {
        seq,
        ack: None,
        flags,
        text: b"",
        window: None,
        urgent: 0,
        options: Options::default(),
        ecn: Ecn::NotEct,
    }
}

impl<'a> In<'a> {
    pub(super) fn ack(self, ack: u32) -> In<'a> {
        In { ack: Some(ack), ..self }
    }

    pub(super) fn text<'b>(self, text: &'b [u8]) -> In<'b> {
        In { text, ..self }
    }

    pub(super) fn options(self, options: Options) -> In<'a> {
        In { options, ..self }
    }

    /// TSval; what it echoes is the connection's first timestamp.
    pub(super) fn stamp(self, value: u32) -> In<'a> {
        let first = ORIGIN.ts_offset + 1000;
        let timestamps = Some((value, first));
        In { options: Options { timestamps, ..self.options }, ..self }
    }

    /// With the URG bit: SEG.UP.
    pub(super) fn urgent(self, urgent: u16) -> In<'a> {
        In { urgent, ..self }
    }

    pub(super) fn window(self, window: u16) -> In<'a> {
        In { window: Some(window), ..self }
    }
}

/// What the connection sent; relative numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Out {
    pub(super) flags: Flags,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) text: Vec<u8>,
}

/// What is expected: flags, SEG.SEQ, SEG.ACK (0 without ACK).
pub(super) fn out(flags: Flags, seq: u32, ack: u32) -> Out {
    Out { flags, seq, ack, text: Vec::new() }
}

impl Out {
    pub(super) fn text(self, text: &[u8]) -> Out {
        Out { text: text.to_vec(), ..self }
    }
}

fn name() -> ConnectionName {
    ConnectionName {
        id: 1,
        local: "10.7.0.2:80".parse().unwrap(),
        remote: Some("10.7.0.1:4000".parse().unwrap()),
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        send_buffer: 100_000,
        is_send_buffer_fixed: true,
        receive_buffer: 60_000,
        ..Settings::default()
    }
}

/// A macro-free way to lend the parts of a script to a call.
macro_rules! context {
    ($script:expr) => {
        &mut Context {
            now: $script.now,
            knobs: &$script.knobs,
            log: &mut $script.log,
            blocks: &mut $script.blocks,
            mtu: $script.mtu,
            gso_max: $script.gso_max,
        }
    };
}

impl Script {
    /// The variables now.
    pub(super) fn snapshot(&self) -> Box<Snapshot> {
        self.connection.snapshot(self.now)
    }

    fn start(
        settings: Settings,
        set_knobs: &[(&str, &str)],
        make: impl FnOnce(&mut Context<'_>, Arc<Settings>) -> Connection,
    ) -> Script {
        let mut knobs = Knobs::default();
        // Most scripts are about one thing: no scaling, no quick ACKs to count, buffers as they are.
        knobs.set("tcp_moderate_rcvbuf", "0").unwrap();
        knobs.set("tcp_window_scaling", "0").unwrap();
        knobs.set("tcp_quickack_start", "0").unwrap();
        for (name, value) in set_knobs {
            knobs.set(name, value).unwrap();
        }
        let now = Instant::from_micros(1_000_000);
        let mut log = EventLog::off();
        let (mtu, gso_max) = (1040, 0);
        let mut blocks = Blocks::default();
        let cx =
            &mut Context { now, knobs: &knobs, log: &mut log, blocks: &mut blocks, mtu, gso_max };
        let connection = make(cx, settings.into());
        Script { connection, now, knobs, log, blocks, mtu, gso_max, window: WINDOW }
    }

    /// SYN-SENT, the SYN not yet polled.
    pub(super) fn connecting(set_knobs: &[(&str, &str)]) -> Script {
        Script::start(settings(), set_knobs, |cx, settings| {
            Connection::connect(cx, name(), ORIGIN, settings)
        })
    }

    /// SYN-RECEIVED on a SYN with these options, the SYN+ACK not yet polled.
    pub(super) fn accepting(options: Options, set_knobs: &[(&str, &str)]) -> Script {
        Script::accepting_flags(SYN, options, set_knobs)
    }

    /// The same on a SYN with these flags.
    pub(super) fn accepting_flags(
        flags: Flags,
        options: Options,
        set_knobs: &[(&str, &str)],
    ) -> Script {
        Script::start(settings(), set_knobs, |cx, settings| {
            let syn = Header {
                src_port: 4000,
                dst_port: 80,
                seq: IRS,
                flags,
                window: WINDOW,
                options,
                ..Header::default()
            };
            Connection::accept(cx, name(), ORIGIN, settings, &syn, Ecn::NotEct)
        })
    }

    /// ESTABLISHED by a passive open, SMSS 1000.
    pub(super) fn established() -> Script {
        Script::established_with(settings(), &[])
    }

    pub(super) fn established_with(settings: Settings, set_knobs: &[(&str, &str)]) -> Script {
        let options = Options { mss: Some(1000), ..Options::default() };
        let mut script = Script::accepting(options, set_knobs);
        script.connection.set_settings(context!(script), settings.into());
        script.expect(out(SYN_ACK, 0, 1));
        script.arrive(seg(ACK, 1).ack(1));
        script.expect_state(State::Established);
        script.expect_nothing();
        script
    }

    /// A segment of the peer arrives.
    pub(super) fn arrive(&mut self, segment: In<'_>) {
        self.arrive_merged(segment, 0);
    }

    /// Several segments arrive that the device has merged into one, `gso_size` bytes each.
    pub(super) fn arrive_merged(&mut self, segment: In<'_>, gso_size: u16) {
        let is_ack = segment.flags.contains(ACK);
        let header = Header {
            src_port: 4000,
            dst_port: 80,
            seq: IRS.wrapping_add(segment.seq),
            ack: if is_ack { ISS.wrapping_add(segment.ack.unwrap_or(0)) } else { 0 },
            flags: segment.flags,
            window: segment.window.unwrap_or(self.window),
            urgent: segment.urgent,
            options: segment.options,
        };
        let payload = Bytes::copy_from_slice(segment.text);
        self.connection.handle_segment(
            context!(self),
            &header,
            payload.into(),
            gso_size,
            segment.ecn,
        );
    }

    /// What the connection sends next, as it is.
    pub(super) fn poll(&mut self) -> Option<Outgoing> {
        self.connection.poll_transmit(context!(self))
    }

    fn poll_relative(&mut self) -> Option<Out> {
        let outgoing = self.poll()?;
        let header = outgoing.header;
        Some(Out {
            flags: header.flags,
            seq: header.seq.wrapping_sub(ISS),
            ack: if header.flags.contains(ACK) { header.ack.wrapping_sub(IRS) } else { 0 },
            text: outgoing.payload.into_bytes().to_vec(),
        })
    }

    #[track_caller]
    pub(super) fn expect(&mut self, expected: Out) {
        assert_eq!(self.poll_relative(), Some(expected));
    }

    #[track_caller]
    pub(super) fn expect_nothing(&mut self) {
        assert_eq!(self.poll_relative(), None);
    }

    #[track_caller]
    pub(super) fn expect_state(&self, state: State) {
        assert_eq!(self.connection.state(), state);
    }

    /// Time passes; timers that fall due run.
    pub(super) fn wait(&mut self, time: Duration) {
        self.now += time;
        self.connection.handle_timers(context!(self));
    }

    /// Time passes up to the next deadline; says how long that was.
    pub(super) fn wait_for_timer(&mut self) -> Duration {
        let deadline = self.connection.next_deadline().expect("a timer is armed");
        let time = deadline.saturating_since(self.now);
        self.wait(time);
        time
    }

    pub(super) fn send(&mut self, data: &[u8]) -> Result<usize, Error> {
        self.connection.send(context!(self), data)
    }

    pub(super) fn recv(&mut self, max: usize) -> Result<Vec<u8>, Error> {
        self.read(max, false)
    }

    pub(super) fn shutdown(&mut self, how: Shutdown) -> Result<(), Error> {
        self.connection.shutdown(context!(self), how)
    }

    pub(super) fn close(&mut self) {
        self.connection.close(context!(self), false);
    }

    pub(super) fn close_with_reset(&mut self) {
        self.connection.close(context!(self), true);
    }

    pub(super) fn peek(&mut self, max: usize) -> Result<Vec<u8>, Error> {
        self.read(max, true)
    }

    fn read(&mut self, max: usize, peek: bool) -> Result<Vec<u8>, Error> {
        let mut slices = SmallVec::new();
        self.connection.recv(context!(self), max, peek, &mut slices)?;
        Ok(slices.concat())
    }

    pub(super) fn set_settings(&mut self, settings: Settings) {
        self.connection.set_settings(context!(self), settings.into());
    }

    pub(super) fn path_mtu(&mut self, mtu: usize) {
        self.mtu = mtu;
        if self.connection.handle_mtu_change(context!(self)) {
            self.connection.resend_too_big(context!(self));
        }
    }

    pub(super) fn abort(&mut self) {
        self.connection.abort(context!(self));
    }

    /// An ICMP error about the segment of ours that began at `seq`.
    pub(super) fn icmp(&mut self, error: Error, hard: bool, seq: u32) {
        self.connection.handle_icmp(context!(self), error, hard, ISS.wrapping_add(seq));
    }

    pub(super) fn send_with(&mut self, data: &[u8], flags: SendFlags) -> Result<usize, Error> {
        self.connection.send_with(context!(self), data, flags)
    }

    /// Sets socket options.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = *self.connection.settings;
        change(&mut settings);
        self.connection.set_settings(context!(self), settings.into());
    }

    pub(super) fn set_quick_ack(&mut self, is_quick: bool) {
        self.connection.set_quick_ack(context!(self), is_quick);
    }

    pub(super) fn super_segments(&mut self, gso_max: usize) {
        self.gso_max = gso_max;
    }
}

/// Milliseconds, for scripts.
pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
