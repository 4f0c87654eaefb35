//! TCP Fast Open: text on the SYN, for a client that this server has seen before (RFC 7413). It may
//! come twice, so the applications of both ends have to ask for it (RFC 7413 §2.1).
//!
//! Owns what one handshake has to do with cookies and early text on either side, and what it shows of
//! the path. What a server's cookies are made of is in `keys`; the limit on handshakes with text is the
//! listener's, the memory of other hosts' cookies the host's. Text that the peer did not take is sent
//! again, as if it had never been.

mod keys;

pub use keys::{CookieKeys, KEY_LEN, MadeWith};

use super::connection::{Connection, Context, Outgoing};
use super::segment::Segment;
use super::state::State;
use crate::wire::ip::Ecn;
use crate::wire::payload::Payload;
use crate::wire::tcp::{Flags, Header};
use crate::wire::tcp_options::FastOpenCookie;

/// What the options of a SYN may take from its text, in bytes, as on Linux.
const OPTION_SPACE: u16 = 40;

/// What one handshake has to do with Fast Open; most have nothing.
#[derive(Clone, Debug, Default)]
pub struct FastOpen {
    /// Goes on the first SYN or on the SYN+ACK: a cookie, or the request for one.
    option: Option<FastOpenCookie>,
    /// Text that the first SYN may carry, in bytes.
    text_max: u16,
    /// A passive open whose SYN had text and a good cookie: it is used before it is ESTABLISHED.
    is_early: bool,
    /// The peer took our SYN's text, or we took its.
    is_taken: bool,
    /// What came of it for a client.
    failure: Failure,
    /// What the handshake taught about the server.
    lesson: Option<Lesson>,
    /// It is opened to see whether Fast Open works again.
    is_trial: bool,
    /// What the connection shows of the path to everywhere.
    verdict: Option<Verdict>,
}

/// What a client's connection shows of the middleboxes near it (RFC 7413 §4.1.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// One of them swallows what belongs to Fast Open.
    BlackHole,
    /// They let it pass again.
    Passes,
}

/// Why a client had no text on its SYN, or none that was taken (`tcpi_fastopen_client_fail`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Failure {
    /// None of these.
    #[default]
    None,
    /// There was no cookie yet.
    NoCookie,
    /// The peer did not take it, or not all.
    NotTaken,
    /// The same, but the SYN was sent again, without.
    Repeated,
}

impl Failure {
    /// The name: `none`, `no_cookie`, `not_taken` or `repeated`.
    pub const fn name(self) -> &'static str {
        match self {
            Failure::None => "none",
            Failure::NoCookie => "no_cookie",
            Failure::NotTaken => "not_taken",
            Failure::Repeated => "repeated",
        }
    }
}

/// What an active open learned, for the next one to the same server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// The server's cookie and its MSS (RFC 7413 §4.1.3).
    Cookie(FastOpenCookie, u16),
    /// A SYN with Fast Open was not answered: something on the way may drop such (§4.1.3.1).
    Lost,
}

impl Connection {
    /// Before the first SYN: it asks for a cookie, or bears one and as much of `data` as fits a segment
    /// to a peer that takes `mss` bytes (None: not known, so the least that
    /// every host takes). Says how many bytes were taken.
    pub fn open_fast(
        &mut self,
        cx: &mut Context<'_>,
        option: Option<FastOpenCookie>,
        mss: Option<u16>,
        data: &[u8],
    ) -> usize {
        let text_max = match option {
            Some(cookie) if cookie.is_request() => 0,
            _ => {
                mss.unwrap_or(self.peer_mss).min(self.own_mss(cx.mtu)).saturating_sub(OPTION_SPACE)
            }
        };
        let len = data.len().min(usize::from(text_max));
        let failure = if text_max == 0 { Failure::NoCookie } else { Failure::None };
        self.fast_open =
            Some(Box::new(FastOpen { option, text_max, failure, ..FastOpen::default() }));
        self.send_buffer.push(&data[..len], cx.blocks)
    }

    /// A passive open that tells the client its cookie (RFC 7413 §4.2.1).
    pub fn offer_cookie(&mut self, cookie: FastOpenCookie) {
        let option = Some(cookie);
        self.fast_open = Some(Box::new(FastOpen { option, ..FastOpen::default() }));
    }

    /// A passive open whose SYN's text is taken at once: its cookie is good (RFC 7413 §4.2.2). If it was
    /// of an old key, the client gets a `new` one.
    pub fn accept_early_text(
        &mut self,
        cx: &mut Context<'_>,
        syn: &Header,
        text: Payload,
        new: Option<FastOpenCookie>,
    ) {
        self.fast_open = Some(Box::new(FastOpen {
            option: new,
            is_early: true,
            is_taken: !text.is_empty(),
            ..FastOpen::default()
        }));
        // The answer need not wait for the handshake either.
        self.start_congestion(cx, cx.knobs.initial_window_segments());
        // What the SYN+ACK will advertise is open to it already.
        self.window_field(cx, Flags::SYN);
        let header = Header {
            seq: syn.seq.wrapping_add(1),
            flags: syn.flags.intersection(Flags::FIN | Flags::PSH),
            ..*syn
        };
        let (nxt, una) = (self.rcv.nxt, self.snd.una);
        let mut segment = Segment::from_wire(&header, text, 0, Ecn::NotEct, nxt, una);
        segment.trim_to_edge(self.rcv.edge());
        self.arrival_of_text(cx, &mut segment);
    }

    /// ISS as on the wire.
    pub fn iss(&self) -> u32 {
        self.snd.iss.to_wire()
    }

    /// In SYN-RECEIVED already open to the application.
    pub fn is_early(&self) -> bool {
        self.state == State::SynReceived && self.fast_open.as_ref().is_some_and(|own| own.is_early)
    }

    /// Puts option and text on a SYN or SYN+ACK; says how many bytes of text. A repeated SYN
    /// or SYN+ACK has neither, in case it is they that are dropped.
    pub(super) fn dress_syn(&mut self, outgoing: &mut Outgoing, is_repeat: bool) -> u64 {
        let (state, is_active) = (self.state, self.is_active);
        let Some(own) = &mut self.fast_open else { return 0 };
        if state == State::SynReceived {
            // In a simultaneous open our own cookie went with the SYN.
            let offer = own.option.filter(|_| !is_repeat && !is_active);
            outgoing.header.options.fast_open = offer;
            return 0;
        }
        if is_repeat {
            own.lesson.get_or_insert(Lesson::Lost);
            return 0;
        }
        outgoing.header.options.fast_open = own.option;
        let len = self.send_buffer.len().min(usize::from(own.text_max));
        if len > 0 {
            outgoing.payload = self.send_buffer.payload(self.snd.iss + 1, len);
        }
        len as u64
    }

    /// A SYN+ACK may bring a cookie, and says how much of the SYN's text was taken: the rest leaves
    /// again, as if for the first time (RFC 7413 §4.2.1).
    pub(super) fn take_fast_open_answer(&mut self, segment: &Segment) {
        let Some(own) = &mut self.fast_open else { return };
        if let Some(cookie) = segment.options.fast_open.filter(|cookie| !cookie.is_request()) {
            own.lesson = Some(Lesson::Cookie(cookie, self.peer_mss));
        }
        own.is_taken = self.snd.una > self.snd.iss + 1 && self.snd.una == self.snd.max;
        if self.snd.una < self.snd.max {
            let is_repeated = self.rtt.backoffs() > 0;
            own.failure = if is_repeated { Failure::Repeated } else { Failure::NotTaken };
        }
        self.send_buffer.release(self.snd.una.min(self.send_buffer.end()));
        self.snd.nxt = self.snd.una;
        self.snd.max = self.snd.una;
    }

    /// What came of a client's text on the SYN.
    pub(super) fn fast_open_failure(&self) -> Failure {
        self.fast_open.as_ref().map_or(Failure::None, |own| own.failure)
    }

    /// Whether a SYN's text was taken, ours or the peer's (`TCPI_OPT_SYN_DATA`).
    pub(super) fn has_syn_data(&self) -> bool {
        self.fast_open.as_ref().is_some_and(|own| own.is_taken)
    }

    /// An active open after a pause: if data comes back, Fast Open works again.
    pub fn try_fast_open(&mut self) {
        if let Some(own) = &mut self.fast_open {
            own.is_trial = true;
        }
    }

    /// A timeout, of which there were `before` in a row; `is_last`: the connection is given up. The third
    /// is no accident, whether the handshake is over or not.
    pub(super) fn doubt_fast_open(&mut self, before: u32, is_last: bool) {
        if before == 2 || (before < 2 && is_last) {
            self.judge_fast_open(Verdict::BlackHole);
        }
    }

    /// A RST that is in the window and not in order, though no data has come: its sender knows of data
    /// that was swallowed.
    pub(super) fn doubt_after_stray_reset(&mut self) {
        if self.state == State::Established && self.tally.data_segments_received == 0 {
            self.judge_fast_open(Verdict::BlackHole);
        }
    }

    /// The connection is over: a FIN past a hole, with nothing else, tells of data that was swallowed;
    /// data that came tells that all is well.
    pub(super) fn conclude_fast_open(&mut self) {
        let Some(own) = &self.fast_open else { return };
        let is_trial = own.is_trial;
        if self.tally.data_segments_received > 0 {
            if is_trial {
                self.judge_fast_open(Verdict::Passes);
            }
        } else if self.rcv.fin.is_some_and(|fin| self.rcv.nxt <= fin) {
            self.judge_fast_open(Verdict::BlackHole);
        }
    }

    fn judge_fast_open(&mut self, verdict: Verdict) {
        if let Some(own) = self.fast_open.as_mut().filter(|_| self.is_active) {
            own.verdict = Some(verdict);
        }
    }

    /// Whether it has shown anything of the middleboxes.
    pub fn has_fast_open_verdict(&self) -> bool {
        self.fast_open.as_ref().is_some_and(|own| own.verdict.is_some())
    }

    /// What the connection showed of the middleboxes, once.
    pub fn take_fast_open_verdict(&mut self) -> Option<Verdict> {
        self.fast_open.as_mut()?.verdict.take()
    }

    /// What this handshake taught, once.
    pub(super) fn take_lesson(&mut self) -> Option<Lesson> {
        self.fast_open.as_mut()?.lesson.take()
    }
}
