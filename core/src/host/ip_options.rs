//! What a socket asks of IP, for each of the two families (RFC 9293 §3.9.1.9, §3.9.2): DSCP, hop limit,
//! the least hop limit that it believes, and how the path's MTU is found.
//!
//! An IPv6 socket has both sets: those of IPv4 count while its peer is a mapped address, as on
//! Linux. Accepted connections inherit them. The low two bits of the traffic class are TCP's own
//! (RFC 3168): they cannot be set.

use super::Domain;

/// How the MTU of the path is found, in the order of Linux's numbers from 0 on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MtuDiscover {
    /// IP_PMTUDISC_DONT: routers may cut the packets (IPv4: DF is not set).
    Dont,
    /// IP_PMTUDISC_WANT: DF is set, and routers say when a packet is too big (RFC 1191). Below the floor
    /// of what is believed DF is not set any more.
    #[default]
    Want,
    /// IP_PMTUDISC_DO: DF is always set.
    Do,
    /// IP_PMTUDISC_PROBE: DF is set, and what routers say is ignored.
    Probe,
    /// IP_PMTUDISC_INTERFACE: DF is not set, and what routers say is ignored.
    Interface,
    /// IP_PMTUDISC_OMIT: as `Interface`.
    Omit,
}

impl MtuDiscover {
    const ALL: [MtuDiscover; 6] = [
        MtuDiscover::Dont,
        MtuDiscover::Want,
        MtuDiscover::Do,
        MtuDiscover::Probe,
        MtuDiscover::Interface,
        MtuDiscover::Omit,
    ];

    /// The way of that number.
    pub(super) fn from_number(number: i64) -> Option<MtuDiscover> {
        MtuDiscover::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// Whether what a router says of the path counts.
    pub(super) fn believes_routers(self) -> bool {
        matches!(self, MtuDiscover::Dont | MtuDiscover::Want | MtuDiscover::Do)
    }

    /// Whether routers may cut the packets, on a path that is narrower than the floor or not.
    pub(super) fn allows_fragments(self, is_below_floor: bool) -> bool {
        match self {
            MtuDiscover::Dont | MtuDiscover::Interface | MtuDiscover::Omit => true,
            MtuDiscover::Want => is_below_floor,
            MtuDiscover::Do | MtuDiscover::Probe => false,
        }
    }
}

/// The options of one family.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct FamilyOptions {
    pub(super) traffic_class: u8,
    pub(super) hop_limit: Option<u8>,
    pub(super) min_hop_limit: u8,
    pub(super) mtu_discover: MtuDiscover,
}

/// The options of both.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct IpOptions {
    v4: FamilyOptions,
    v6: FamilyOptions,
}

/// The bits of the traffic class that are the application's.
const DSCP: u8 = 0xfc;

impl FamilyOptions {
    /// Sets DSCP; the ECN bits are TCP's.
    pub(super) fn set_traffic_class(&mut self, value: u8) {
        self.traffic_class = value & DSCP;
    }
}

impl IpOptions {
    /// Those that count with a peer of this family.
    pub(super) fn of(&self, family: Domain) -> &FamilyOptions {
        match family {
            Domain::V4 => &self.v4,
            Domain::V6 => &self.v6,
        }
    }

    /// The same, to be changed.
    pub(super) fn of_mut(&mut self, family: Domain) -> &mut FamilyOptions {
        match family {
            Domain::V4 => &mut self.v4,
            Domain::V6 => &mut self.v6,
        }
    }
}
