//! A host: many connections, their listeners, ports, timers and addresses; still no I/O.
//!
//! A [`Host`] is a machine that one moves by hand. Packets go in by [`Host::handle_frame`] and come
//! out of [`Host::poll_transmit`]; time passes by [`Host::handle_timers`], due at
//! [`Host::next_deadline`]; the application calls [`Host::socket`], [`Host::connect`],
//! [`Host::send`] and the rest, and [`Host::poll_wake`] tells which sockets to look at again.
//! Nothing blocks, no clock is read, and the same seed gives the same run to the byte.
//!
//! After any call that is not a question, drain `poll_transmit` and `poll_wake` until None.
//!
//! | file | what it owns |
//! |---|---|
//! | `config`, `addresses`, `socket` | what a host is made of |
//! | `arrival` | the way of a packet to its socket, resets for what nobody wants |
//! | `listening`, `fast_open` | the passive open, SYN cookies, text on the SYN |
//! | `fragments` | packets that came in parts, until they are whole |
//! | `icmp` | pings, and errors about our segments |
//! | `path`, `path_mtu` | what the path to each peer carries |
//! | `reports` | the ICMP errors that the host itself sends |
//! | `demux`, `ports` | which socket a segment belongs to; who holds which port |
//! | `calls`, `connect`, `options`, `ip_options` | what the application asks, with Linux's answers |
//! | `turn`, `census`, `deadlines`, `output` | after each step: tables, bounds, timers, and what leaves when |
//! | `questions`, `counters`, `events`, `wording` | what can be seen |

mod addresses;
mod arrival;
mod calls;
mod census;
mod config;
mod connect;
mod counters;
mod deadlines;
mod demux;
mod events;
mod fast_open;
mod fragments;
mod icmp;
mod ip_options;
mod listening;
mod options;
mod output;
mod path;
mod path_mtu;
mod ports;
mod questions;
mod reports;
mod socket;
mod turn;
pub(crate) mod wording;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

pub use config::Config;
pub use counters::Counters;
pub use ip_options::MtuDiscover;
pub use options::{Encoded, OPTIONS, OptionName, OptionRow, Shape, SocketOption};
pub use questions::ConnectionInfo;
pub use socket::{Domain, SocketId};

pub use crate::error::Error;
pub use crate::knobs::Domain as KnobDomain;
pub use crate::knobs::{KNOBS, Knob, KnobError, Knobs};
pub use crate::readiness::Readiness;
pub use crate::tcp::Shutdown;

use addresses::Addresses;
use census::Census;
use deadlines::Deadlines;
use demux::{Demux, KeyedHash};
use fast_open::FastOpenCache;
use fragments::Fragments;
use options::{Options, RecentOptions};
use output::Output;
use path_mtu::PathMtu;
use ports::Ports;
use reports::RateLimit;
use socket::Sockets;
use turn::Unsettled;

use crate::blocks::Blocks;
use crate::event::{EventLog, Observer};
use crate::tcp::fast_open::CookieKeys;
use crate::tcp::isn::IsnGenerator;
use crate::tcp::syn_cookie::SynCookies;
use crate::time::Instant;

/// Many connections on one set of addresses; see the [module](self).
///
/// Two hosts, wired by hand:
///
/// ```
/// use tcpstack::host::{Config, Domain, Error, Host, Readiness};
/// use tcpstack::time::Instant;
///
/// let now = Instant::ZERO;
/// let mut client = Host::new(Config::new(["10.7.0.1".parse()?], 1), None);
/// let mut server = Host::new(Config::new(["10.7.0.2".parse()?], 2), None);
///
/// let listener = server.socket(Domain::V4);
/// server.bind(listener, "10.7.0.2:80".parse()?)?;
/// server.listen(now, listener, 16)?;
///
/// let socket = client.socket(Domain::V4);
/// assert_eq!(client.connect(now, socket, "10.7.0.2:80".parse()?), Err(Error::InProgress));
///
/// // The wire: until neither has anything to say.
/// loop {
///     let mut quiet = true;
///     while let Some(packet) = client.poll_transmit(now) {
///         server.handle_frame(now, packet.into_frame());
///         quiet = false;
///     }
///     while let Some(packet) = server.poll_transmit(now) {
///         client.handle_frame(now, packet.into_frame());
///         quiet = false;
///     }
///     if quiet {
///         break;
///     }
/// }
/// assert!(server.readiness(listener).contains(Readiness::IN));
/// let (_child, peer) = server.accept(now, listener)?;
/// assert_eq!(peer, client.local_addr(socket)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Host {
    name: Arc<str>,
    addresses: Addresses,
    device_mtu: u16,
    gso_max: u16,
    knobs: Knobs,
    /// What a new socket begins with, shared until it changes its own.
    default_options: Arc<Options>,
    recent_options: RecentOptions,
    log: EventLog,
    blocks: Blocks,
    counters: Counters,
    random: ChaCha8Rng,
    isn: IsnGenerator,
    cookies: SynCookies,
    fast_open_keys: CookieKeys,
    fast_open_cache: FastOpenCache,
    /// Sockets whose connect() waits for the first data (TCP_FASTOPEN_CONNECT).
    waiting_for_text: HashMap<SocketId, SocketAddr, KeyedHash>,
    sockets: Sockets,
    census: Census,
    demux: Demux,
    ports: Ports,
    deadlines: Deadlines,
    path_mtu: PathMtu,
    fragments: Fragments,
    report_limit: RateLimit,
    output: Output,
    unsettled: Unsettled,
    wakes: VecDeque<SocketId>,
    /// Numbers of sockets in events; 0 stands for none.
    last_number: u64,
    next_call: u64,
    /// The event of each call that has not returned, while anybody observes.
    open_calls: HashMap<u64, u64, KeyedHash>,
}

impl Host {
    /// A host without sockets. All its random choices follow from `config.seed`: give a seed that
    /// nobody can guess where attackers may be about.
    pub fn new(config: Config, observer: Option<Box<dyn Observer>>) -> Host {
        let mut random = ChaCha8Rng::seed_from_u64(config.seed);
        let ports = Ports::new(&mut random);
        let mut key = || (random.next_u64(), random.next_u64());
        let (isn, hash) = (IsnGenerator::new(key()), KeyedHash::new(key()));
        let cookies = SynCookies::new(key(), key());
        let (low, high) = key();
        let fast_open_keys =
            CookieKeys::new((u128::from(low) << 64 | u128::from(high)).to_ne_bytes());
        let addresses = Addresses::new(config.addresses);
        let name = match (config.name.is_empty(), addresses.first()) {
            (true, Some(address)) => address.to_string(),
            _ => config.name,
        };
        Host {
            log: observer.map_or_else(EventLog::off, |observer| EventLog::new(&name, observer)),
            blocks: Blocks::default(),
            name: name.into(),
            addresses,
            device_mtu: u16::try_from(config.mtu).unwrap_or(u16::MAX),
            gso_max: u16::try_from(config.gso_max).unwrap_or(u16::MAX),
            recent_options: RecentOptions::default(),
            default_options: Options::new(&config.knobs).into(),
            knobs: config.knobs,
            counters: Counters::default(),
            random,
            isn,
            cookies,
            fast_open_keys,
            fast_open_cache: FastOpenCache::new(hash),
            waiting_for_text: HashMap::with_hasher(hash),
            sockets: Sockets::default(),
            census: Census::default(),
            demux: Demux::new(hash),
            ports,
            deadlines: Deadlines::default(),
            path_mtu: PathMtu::new(hash),
            fragments: Fragments::default(),
            report_limit: RateLimit::default(),
            output: Output::default(),
            unsettled: Unsettled::default(),
            wakes: VecDeque::new(),
            last_number: 0,
            next_call: 1,
            open_calls: HashMap::with_hasher(hash),
        }
    }

    /// Runs every timer due at `now`, in deadline order.
    pub fn handle_timers(&mut self, now: Instant) {
        self.blocks.handle_timers();
        self.expire_fragments(now);
        self.catch_up();
        self.refresh_deadlines();
        for id in self.deadlines.due(now) {
            self.log.set_cause(None);
            self.tell(now, id, |connection, cx| connection.handle_timers(cx));
        }
        self.log.set_cause(None);
    }

    /// Exactly when [`Host::handle_timers`] has something to do next, or when
    /// [`Host::poll_transmit`] wants to be asked again.
    pub fn next_deadline(&mut self) -> Option<Instant> {
        self.output.left_over.into_iter().chain(self.next_timer()).min()
    }

    /// Exactly when [`Host::handle_timers`] has something to do next.
    pub fn next_timer(&mut self) -> Option<Instant> {
        self.catch_up();
        self.refresh_deadlines();
        self.fragments.next_deadline().into_iter().chain(self.deadlines.next()).min()
    }

    /// Whether [`Host::poll_transmit`] ended with packets left, all of them to the host itself.
    pub fn has_left_over(&self) -> bool {
        self.output.left_over.is_some()
    }

    /// Makes the front of the timer queue exact: a deadline that has moved back since it was queued
    /// is queued anew.
    fn refresh_deadlines(&mut self) {
        while let Some((queued, id)) = self.deadlines.first() {
            let Some(socket) = self.sockets.get_mut(id) else { return };
            let deadline = socket.deadline();
            if deadline == Some(queued) {
                return;
            }
            self.deadlines.change(id, Some(queued), deadline);
            socket.queued_deadline = deadline;
        }
    }

    /// The sockets to look at again, each once: readiness may have changed, or more can be read. A
    /// closed socket is named when [`Host::is_closing`] has changed.
    pub fn poll_wake(&mut self) -> Option<SocketId> {
        self.catch_up();
        let id = self.wakes.pop_front()?;
        if let Some(socket) = self.sockets.get_mut(id) {
            socket.is_waking = false;
        }
        Some(id)
    }

    /// A number for a socket in events.
    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}
