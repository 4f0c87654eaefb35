//! What a seed decides: the network, the knobs, the hosts.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use tcpstack::device::Impairment;
use tcpstack::host::{Config, KNOBS, KnobDomain};

/// Knobs that are drawn from these values. Every switch and choice is drawn by itself.
const VALUES: &[(&str, &[&str])] = &[
    ("tcp_rmem", &["1024 2304 6291456", "4096 20000 20000", "4096 131072 6291456"]),
    ("tcp_wmem", &["1024 1024 4194304", "4096 10000 10000", "4096 500000 4194304"]),
    ("tcp_delack_ms", &["0", "40", "200"]),
    ("tcp_quickack_start", &["0", "16"]),
    ("tcp_initial_window", &["1", "4", "10", "100"]),
    ("tcp_initial_rto_ms", &["200", "1000", "3000"]),
    ("tcp_min_rto_ms", &["10", "200", "1000"]),
    // Longer than any packet is under way here, as an MSL has to be.
    ("tcp_msl_ms", &["30000", "120000"]),
    ("tcp_keepalive_time", &["1", "7200"]),
    ("tcp_max_syn_backlog", &["16", "1024"]),
];

/// A gentle life has to end well, so its ends are patient.
const PATIENCE: &[(&str, &str)] = &[
    ("tcp_syn_retries", "20"),
    ("tcp_synack_retries", "20"),
    ("tcp_retries2", "60"),
    ("tcp_orphan_retries", "60"),
];

/// Drawn in no life: what they do would end a gentle one, or is not the network's to show. Of a
/// handshake by cookie the server keeps nothing: an ACK that comes too late is reset, one that comes
/// again after the end begins a ghost (RFC 4987 §3.6).
const LEFT_ALONE: &[&str] = &["tcp_abort_on_overflow", "tcp_sigpipe", "tcp_syncookies"];

/// All choices of one life.
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    pub(crate) fn percent(&mut self, probability: u64) -> bool {
        self.below(100) < probability
    }

    pub(crate) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// One direction of a link.
    pub(crate) fn impairment(&mut self) -> Impairment {
        let rate = self.percent(30).then(|| self.below(20_000_000) + 200_000);
        let mut share =
            |most: u64| if self.percent(50) { self.below(most) as f64 / 100.0 } else { 0.0 };
        Impairment {
            loss: share(20),
            reorder: share(30),
            duplicate: share(20),
            corrupt: share(10),
            delay: Duration::from_micros(self.below(100_000)),
            jitter: Duration::from_micros(self.below(20_000)),
            rate,
            limit: 10 + self.below(100) as usize,
            ecn: self.percent(30).then(|| self.below(20) as usize),
        }
    }

    /// A host at `address`, any of its knobs turned.
    pub(crate) fn config(&mut self, address: &str) -> Config {
        let mut config = Config::new([address.parse().expect("an address")], 0);
        config.mtu = self.one_of(&[576, 1280, 1500, 9000]);
        if address.contains(':') {
            config.mtu = config.mtu.max(1280);
        }
        config.gso_max = self.one_of(&[0, 0, 20_000, 65_000]);
        for knob in KNOBS.iter().filter(|knob| !LEFT_ALONE.contains(&knob.name)) {
            let drawn = match (VALUES.iter().find(|(name, _)| *name == knob.name), knob.domain) {
                (Some((_, values)), _) => Some(self.one_of(values).to_owned()),
                (None, KnobDomain::Choice(words)) => Some(self.one_of(words).to_owned()),
                (None, KnobDomain::Numbers { fields: [_], min, max }) if max - min < 8 => {
                    Some((min + self.below(max - min + 1)).to_string())
                }
                _ => None,
            };
            if let Some(value) = drawn.filter(|_| self.percent(40)) {
                config.knobs.set(knob.name, &value).unwrap_or_else(|error| panic!("{error}"));
            }
        }
        for (name, value) in PATIENCE {
            config.knobs.set(name, value).unwrap_or_else(|error| panic!("{error}"));
        }
        config
    }
}
