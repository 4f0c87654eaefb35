//! Who is there: the hosts that recorded, and those that are known by the segments of the others.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use tcpstack::event::{Event, Kind};
use tcpstack::tcp::State;

use super::{Conversation, Host, HostIndex, Role};

/// The hosts from left to right: clients left, servers right; of more than two the first server in
/// the middle. `recorded` are known already; of theirs, only the roles are found here.
pub(crate) fn hosts_of(
    events: &[Event],
    conversations: &[Conversation],
    recorded: Vec<Host>,
) -> Vec<Host> {
    let mut known = recorded;
    let mut roles: Vec<Option<Role>> = vec![None; known.len()];
    let mut places = Places::of(&known);
    let mut order: Vec<HostIndex> = Vec::new();
    for conversation in conversations {
        let ends = [(conversation.client, Role::Client), (conversation.server, Role::Server)];
        for (end, role) in ends {
            let at = places.at(end).unwrap_or_else(|| {
                let (name, addresses) = (end.ip().to_string(), vec![end.ip()]);
                known.push(Host { name, role: Role::Peer, addresses, recorded: false });
                roles.push(None);
                places.by_address.insert(end.ip(), known.len() - 1);
                known.len() - 1
            });
            let is_new = roles[at].is_none();
            roles[at] =
                if is_new || roles[at] == Some(role) { Some(role) } else { Some(Role::Peer) };
            if is_new {
                order.push(at);
            }
        }
    }
    // Who has no connection may at least have waited for one.
    for at in 0..known.len() {
        if roles[at].is_none() {
            order.push(at);
            roles[at] = listens(events, &known[at].name).then_some(Role::Server);
        }
    }
    let hub = order.iter().position(|at| roles[*at] == Some(Role::Server));
    if let Some(hub) = hub.filter(|_| order.len() > 2) {
        let host = order.remove(hub);
        order.insert(order.len().div_ceil(2), host);
    }
    let place =
        |at: &HostIndex| Host { role: roles[*at].unwrap_or(Role::Peer), ..known[*at].clone() };
    order.iter().map(place).collect()
}

fn listens(events: &[Event], host: &str) -> bool {
    let is_listening = |event: &Event| {
        let listens = matches!(event.kind, Kind::StateChanged { to: State::Listen, .. });
        *event.host == *host && listens
    };
    events.iter().any(is_listening)
}

/// Which host an end of a connection is: one that is called like the end itself (a capture of a
/// machine that talks to itself has no other way to tell its ends apart), or that has its address.
pub(crate) struct Places {
    by_name: BTreeMap<String, HostIndex>,
    by_address: BTreeMap<IpAddr, HostIndex>,
}

impl Places {
    /// Where `hosts` are. Of two with one address it is the first that has it.
    pub(crate) fn of(hosts: &[Host]) -> Places {
        let mut places = Places { by_name: BTreeMap::new(), by_address: BTreeMap::new() };
        for (at, host) in hosts.iter().enumerate() {
            places.by_name.entry(host.name.clone()).or_insert(at);
            for address in &host.addresses {
                places.by_address.entry(*address).or_insert(at);
            }
        }
        places
    }

    /// The host of the end `end`, if there is one.
    pub(crate) fn at(&self, end: SocketAddr) -> Option<HostIndex> {
        let named = self.by_name.get(&end.to_string());
        named.or_else(|| self.by_address.get(&end.ip())).copied()
    }
}
