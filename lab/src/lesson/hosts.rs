//! The hosts of a scenario and the links between them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tcpstack::device::Impairment;
use tcpstack::host::Knobs;
use toml::Spanned;

use super::error::Fault;
use super::format::{HostToml, LinkToml};
use super::plan::HostPlan;
use super::values::Setting;
use crate::run::Role;

/// More lifelines than these nobody can read.
const HOSTS_MAX: usize = 6;
/// Where hosts from outside stand: they make no calls, and behind the first host they leave both margins to
/// those that do.
const OUTSIDERS: usize = 1;

/// What a scenario begins with: a client and a server, 20 ms apart.
pub(super) fn two_hosts() -> (Vec<HostPlan>, Vec<Impairment>) {
    let plan = |name: &str, role, last| {
        let address = Ipv4Addr::new(10, 0, 0, last).into();
        new_host(name.to_owned(), role, address)
    };
    let link = Impairment { delay: Duration::from_millis(20), ..Impairment::NONE };
    let hosts = vec![plan("client", Role::Client, 1), plan("server", Role::Server, 2)];
    (hosts, vec![link; 2])
}

fn new_host(name: String, role: Role, address: IpAddr) -> HostPlan {
    HostPlan { name, role, address, mtu: 1500, knobs: Knobs::default(), outside: false }
}

/// Changes the hosts that have the names, and adds the others.
pub(super) fn merge_hosts(
    hosts: &mut Vec<HostPlan>,
    links: &mut Vec<Impairment>,
    given: Vec<HostToml>,
    is_extension: bool,
) -> Result<(), Fault> {
    for entry in given {
        let at = entry.name.span();
        let name = entry.name.get_ref().0.clone();
        let known = hosts.iter().position(|host| host.name == name);
        let index = match (known, &entry.address) {
            (Some(_), Some(address)) if is_extension => {
                let message = "a scenario that extends another keeps its hosts' addresses";
                return Err(Fault::new(address.span(), message));
            }
            (Some(index), address) => {
                let address = address.as_ref().map(|address| *address.get_ref());
                hosts[index].address = address.unwrap_or(hosts[index].address);
                index
            }
            (None, Some(_)) if is_extension => {
                let message = "a scenario that extends another keeps its hosts";
                return Err(Fault::new(at, message));
            }
            (None, Some(address)) if hosts.len() < HOSTS_MAX => {
                let index = if entry.outside { OUTSIDERS } else { hosts.len() };
                hosts.insert(index, new_host(name, Role::Peer, *address.get_ref()));
                links.insert(index, links[0]);
                index
            }
            (None, Some(_)) => {
                return Err(Fault::new(at, format!("expected {HOSTS_MAX} hosts at most")));
            }
            (None, None) => {
                return Err(Fault::new(at, format!("the host `{name}` lacks `address`")));
            }
        };
        let host = &mut hosts[index];
        host.role = entry.role.unwrap_or(host.role);
        host.mtu = entry.mtu.map_or(host.mtu, |mtu| mtu.small() as usize);
        host.outside |= entry.outside;
        set_knobs(&mut host.knobs, &entry.knobs)?;
        let address = host.address;
        if hosts.iter().filter(|host| host.address == address).count() > 1 {
            return Err(Fault::new(at, format!("two hosts have the address {address}")));
        }
    }
    Ok(())
}

fn set_knobs(knobs: &mut Knobs, given: &BTreeMap<String, Spanned<Setting>>) -> Result<(), Fault> {
    for (name, value) in given {
        let set = knobs.set(name, &value.get_ref().to_string());
        set.map_err(|error| Fault::new(value.span(), error.to_string()))?;
    }
    Ok(())
}

/// Changes what the links do: first for all hosts, then for single ones.
pub(super) fn merge_links(
    hosts: &[HostPlan],
    links: &mut [Impairment],
    given: &LinkToml,
) -> Result<(), Fault> {
    for link in links.iter_mut() {
        set_link(link, &given.both)?;
    }
    for (name, keys) in &given.from {
        let Some(index) = hosts.iter().position(|host| host.name == *name) else {
            let at = keys.values().next().map_or(0..0, Spanned::span);
            return Err(unknown_host(at, name, hosts));
        };
        set_link(&mut links[index], keys)?;
    }
    Ok(())
}

fn set_link(link: &mut Impairment, keys: &BTreeMap<String, Spanned<Setting>>) -> Result<(), Fault> {
    for (key, value) in keys {
        let set = link.set(key, &value.get_ref().to_string());
        set.map_err(|error| Fault::new(value.span(), error.to_string()))?;
    }
    Ok(())
}

/// The index of the host of that name.
pub(super) fn host_index(name: &Spanned<String>, hosts: &[HostPlan]) -> Result<usize, Fault> {
    let index = hosts.iter().position(|host| host.name == *name.get_ref());
    index.ok_or_else(|| unknown_host(name.span(), name.get_ref(), hosts))
}

fn unknown_host(at: std::ops::Range<usize>, name: &str, hosts: &[HostPlan]) -> Fault {
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    Fault::new(at, format!("`{name}`: expected one of the hosts {}", names.join(", ")))
}
