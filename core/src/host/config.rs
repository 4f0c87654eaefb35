//! What a host is made from.

use std::net::IpAddr;

use super::Knobs;

/// What a host is made from.
///
/// ```
/// use tcpstack::host::{Config, Domain, Host};
/// use tcpstack::time::Instant;
///
/// let config = Config::new(["10.7.0.2".parse()?], 42);
/// let mut host = Host::new(config, None);
///
/// let socket = host.socket(Domain::V4);
/// host.bind(socket, "10.7.0.2:80".parse()?)?;
/// host.listen(Instant::ZERO, socket, 16)?;
/// assert_eq!(host.local_addr(socket)?, "10.7.0.2:80".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// The host's name in events; empty: its first address.
    pub name: String,
    /// Own addresses with prefix lengths; a packet to none of them is dropped.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Largest IP packet of the device, in bytes.
    pub mtu: usize,
    /// Largest payload of a super-segment that the device takes, in bytes; 0: none.
    pub gso_max: usize,
    /// Where all the host's random choices come from: initial sequence numbers, ports, hash keys.
    pub seed: u64,
    /// The settings.
    pub knobs: Knobs,
}

impl Config {
    /// A host with these addresses, each a whole subnet of its own (/32 or /128), on an Ethernet-sized
    /// device without offload, with every knob at its default.
    pub fn new(addresses: impl IntoIterator<Item = IpAddr>, seed: u64) -> Config {
        let whole = |address: IpAddr| (address, if address.is_ipv4() { 32 } else { 128 });
        Config {
            name: String::new(),
            addresses: addresses.into_iter().map(whole).collect(),
            mtu: 1500,
            gso_max: 0,
            seed,
            knobs: Knobs::default(),
        }
    }
}
