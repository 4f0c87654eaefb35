//! `DEVICE?key=value&key=value`: the one string that says which network a stack is on.
//!
//! Parsing opens nothing and reads nothing. Every key and value is understood or refused with a message that
//! names it and says what would be valid; nothing is ignored. There are no escapes: a path that
//! holds `?` or `&` cannot be written.

use std::net::IpAddr;
use std::path::PathBuf;

use super::OpenError;
use crate::device::Impairment;
use crate::host::Knobs;

/// The keys beside impairments and knobs.
const KEYS: &str = "addr, host, mtu, offload, queues, seed, clock, pcap, events";
/// An MTU below is no IPv4 link (RFC 791 §3.2); above, no length field holds it.
const MTU: std::ops::RangeInclusive<usize> = 68..=65_535;
/// Linux's bound for the queues of a TUN interface.
const QUEUES: std::ops::RangeInclusive<usize> = 1..=256;
/// What a stack has unless told otherwise; the interface's own under `tun:`.
const DEFAULT_MTU: usize = 1500;

/// Which device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DeviceUrl {
    /// `tun:NAME`.
    Tun(String),
    /// `unix:DIR`; None: this user's own directory.
    Unix(Option<PathBuf>),
    /// `user:`.
    User,
}

/// A URL, understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Url {
    pub(super) device: DeviceUrl,
    /// `addr=`, in order; empty: the device's default.
    pub(super) addresses: Vec<(IpAddr, u8)>,
    /// `host=`: the kernel's addresses on a TUN interface.
    pub(super) host: Vec<(IpAddr, u8)>,
    pub(super) mtu: Option<usize>,
    /// `offload=off`: no super-segments, every checksum computed here (TUN only).
    pub(super) offload: Option<bool>,
    /// `queues=`: how many a TUN interface has.
    pub(super) queues: Option<usize>,
    /// None: from the system's random source.
    pub(super) seed: Option<u64>,
    pub(super) manual_clock: bool,
    pub(super) pcap: Option<PathBuf>,
    pub(super) events: Option<PathBuf>,
    pub(super) impairment: Impairment,
    pub(super) knobs: Knobs,
}

impl Url {
    /// Understands `text`.
    pub(super) fn parse(text: &str) -> Result<Url, OpenError> {
        let (device, query) = text.split_once('?').unwrap_or((text, ""));
        let mut url = Url::new(parse_device(device)?);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(refused(format!("`{pair}`: expected key=value")));
            };
            url.set(key, value)?;
        }
        url.check()?;
        url.widen_host();
        Ok(url)
    }

    fn new(device: DeviceUrl) -> Url {
        Url {
            device,
            addresses: Vec::new(),
            host: Vec::new(),
            mtu: None,
            offload: None,
            queues: None,
            seed: None,
            manual_clock: false,
            pcap: None,
            events: None,
            impairment: Impairment::NONE,
            knobs: Knobs::default(),
        }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), OpenError> {
        let invalid = |expected: &str| refused(format!("`{key}={value}`: expected {expected}"));
        let file = || match value {
            "" => Err(invalid("the path of a file")),
            path => Ok(Some(PathBuf::from(path))),
        };
        match key {
            "addr" => self.addresses.push(parse_address(value).map_err(invalid)?),
            "host" => self.host.push(parse_address(value).map_err(invalid)?),
            "mtu" => {
                let mtu = value.parse().ok().filter(|mtu| MTU.contains(mtu));
                self.mtu = Some(mtu.ok_or_else(|| invalid("bytes from 68 to 65535"))?);
            }
            "offload" => {
                self.offload = match value {
                    "on" => Some(true),
                    "off" => Some(false),
                    _ => return Err(invalid("`on` or `off`")),
                }
            }
            "queues" => {
                let queues = value.parse().ok().filter(|queues| QUEUES.contains(queues));
                self.queues = Some(queues.ok_or_else(|| invalid("a number from 1 to 256"))?);
            }
            "seed" => {
                let seed = value.parse().ok();
                self.seed = Some(seed.ok_or_else(|| invalid("a number from 0 to 2^64 - 1"))?);
            }
            "clock" => {
                self.manual_clock = match value {
                    "real" => false,
                    "manual" => true,
                    _ => return Err(invalid("`real` or `manual`")),
                }
            }
            "pcap" => self.pcap = file()?,
            "events" => self.events = file()?,
            _ if Impairment::KEYS.contains(&key) => {
                self.impairment.set(key, value).map_err(|error| refused(error.to_string()))?;
            }
            _ if Knobs::names().any(|name| name == key) => self.knobs.set(key, value)?,
            _ => {
                let knobs: Vec<_> = Knobs::names().collect();
                let impairments = Impairment::KEYS.join(", ");
                return Err(refused(format!(
                    "unknown key `{key}`: expected one of {KEYS}, {impairments}, {}",
                    knobs.join(", ")
                )));
            }
        }
        Ok(())
    }

    /// What makes no sense together.
    fn check(&self) -> Result<(), OpenError> {
        if self.manual_clock && self.device != DeviceUrl::User {
            return Err(refused(
                "`clock=manual`: expected the device `user:`, since on any other packets come when \
                 they like"
                    .into(),
            ));
        }
        if !self.host.is_empty() && !matches!(self.device, DeviceUrl::Tun(_)) {
            return Err(refused(
                "`host=`: expected the device `tun:`, since no other has the kernel on its far side"
                    .into(),
            ));
        }
        let for_tun = [("offload", self.offload.is_some()), ("queues", self.queues.is_some())];
        for (key, is_given) in for_tun {
            if is_given && !matches!(self.device, DeviceUrl::Tun(_)) {
                return Err(refused(format!("`{key}=`: expected the device `tun:`")));
            }
        }
        if self.has_v6() && self.mtu.is_some_and(|mtu| mtu < 1280) {
            // RFC 8200 §5
            return Err(refused(
                "`mtu=`: expected 1280 or more, as there is an IPv6 address".into(),
            ));
        }
        Ok(())
    }

    /// A `host=` without a prefix length is on the subnet of the `addr=` it lies in: the kernel
    /// would have no route to the stack otherwise.
    fn widen_host(&mut self) {
        for (host, prefix) in &mut self.host {
            let bits = if host.is_ipv4() { 32 } else { 128 };
            if *prefix < bits {
                continue;
            }
            let subnet = self
                .addresses
                .iter()
                .find(|(address, prefix)| is_in_subnet(*host, *address, *prefix));
            if let Some((_, subnet_prefix)) = subnet {
                *prefix = *subnet_prefix;
            }
        }
    }

    fn has_v6(&self) -> bool {
        self.addresses.iter().chain(&self.host).any(|(address, _)| address.is_ipv6())
    }

    /// The largest packet in bytes, for the devices that have none of their own.
    pub(super) fn mtu(&self) -> usize {
        self.mtu.unwrap_or(DEFAULT_MTU)
    }
}

fn refused(message: String) -> OpenError {
    OpenError::Url(message)
}

fn parse_device(text: &str) -> Result<DeviceUrl, OpenError> {
    let expected = "expected `tun:NAME`, `unix:DIR`, `unix:` or `user:`";
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err(refused(format!("`{text}` names no device: {expected}")));
    };
    match (scheme, rest) {
        ("tun", "") => Err(refused("`tun:`: expected the interface's name, as `tun:tcps0`".into())),
        ("tun", name) => Ok(DeviceUrl::Tun(name.to_owned())),
        ("unix", "") => Ok(DeviceUrl::Unix(None)),
        ("unix", directory) => Ok(DeviceUrl::Unix(Some(PathBuf::from(directory)))),
        ("user", "") => Ok(DeviceUrl::User),
        ("user", _) => Err(refused(format!("`{text}`: expected nothing after `user:`"))),
        _ => Err(refused(format!("unknown device `{scheme}:`: {expected}"))),
    }
}

/// Whether `host` has the first `prefix` bits of `address`.
fn is_in_subnet(host: IpAddr, address: IpAddr, prefix: u8) -> bool {
    let differ = match (host, address) {
        (IpAddr::V4(host), IpAddr::V4(address)) => {
            (u32::from(host) ^ u32::from(address)).leading_zeros()
        }
        (IpAddr::V6(host), IpAddr::V6(address)) => {
            (u128::from(host) ^ u128::from(address)).leading_zeros()
        }
        _ => return false,
    };
    differ >= u32::from(prefix)
}

/// `10.7.0.2/24`; without a prefix length, the address alone (/32, /128).
fn parse_address(text: &str) -> Result<(IpAddr, u8), &'static str> {
    const EXPECTED: &str = "an address such as 10.7.0.2/24 or fd00::2/64";
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| EXPECTED)?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        Some(prefix) => prefix.parse().ok().filter(|&prefix| prefix <= bits).ok_or(EXPECTED)?,
        None => bits,
    };
    if address.is_unspecified() || address.is_multicast() {
        return Err("a host's own address");
    }
    Ok((address, prefix))
}

#[cfg(test)]
mod tests;
