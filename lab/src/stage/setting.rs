//! The world before the curtain rises: hosts, links, and what is done to single packets.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use tcpstack::host::Config;
use tcpstack::sim::{self, Conditions, HostId, LinkId, World, at_number, drop_all};

use crate::lesson::{InjectionSource, Scenario};
use crate::run::{Action, HostIndex, Rule};

/// A world, and what its ids mean in the scenario.
pub(super) struct Setting {
    pub(super) world: World,
    /// By the scenario's indices.
    pub(super) hosts: Vec<HostId>,
    pub(super) links: Vec<LinkId>,
    /// The rule of the run that a rule of the world is, by its link and number there.
    pub(super) rules: BTreeMap<(LinkId, usize), usize>,
}

impl Setting {
    pub(super) fn new(scenario: &Scenario, rules: &[Rule]) -> Setting {
        let mut world = World::new(scenario.seed);
        let hosts = scenario.hosts.iter().enumerate().map(|(index, host)| {
            let addresses = addresses(scenario, index);
            let config = Config::new(addresses, 0);
            let (name, knobs) = (host.name.clone(), host.knobs.clone());
            world.add_host_with(Config { name, knobs, mtu: host.mtu, ..config })
        });
        let hosts = hosts.collect();
        let mut setting = Setting { world, hosts, links: Vec::new(), rules: BTreeMap::new() };
        for one in 0..scenario.hosts.len() {
            for other in one + 1..scenario.hosts.len() {
                setting.link(scenario, rules, one, other);
            }
        }
        setting.world.start_recording();
        setting
    }

    /// How many packets have left the host of this name.
    pub(super) fn sent_by(&self, scenario: &Scenario, name: &str) -> u64 {
        let Some(host) = scenario.host(name).map(|host| self.hosts[host]) else { return 0 };
        let journeys = self.links.iter().flat_map(|link| self.world.journeys(*link));
        let numbers = journeys.filter(|journey| journey.from == host).map(|journey| journey.number);
        numbers.max().unwrap_or(0)
    }

    fn link(&mut self, scenario: &Scenario, rules: &[Rule], one: HostIndex, other: HostIndex) {
        let conditions = Conditions { forth: scenario.links[one], back: scenario.links[other] };
        let (from, to) = (self.hosts[one], self.hosts[other]);
        let link = self.world.link(from, to, conditions);
        self.world.start_capture(link);
        self.links.push(link);
        for (at, rule) in rules.iter().enumerate() {
            let ends = [one, other].into_iter().find(|end| scenario.hosts[*end].name == rule.from);
            let Some(end) = ends else { continue };
            let judge = at_number(rule.number, action(&rule.action));
            let number = self.world.add_rule(link, self.hosts[end], judge);
            self.rules.insert((link, number), at);
        }
        // What is sent to a host outside is gone: nobody is there who would answer.
        for (end, far) in [(one, other), (other, one)] {
            if scenario.hosts[far].outside {
                self.world.add_rule(link, self.hosts[end], drop_all(|_| true));
            }
        }
    }
}

/// A host outside also has the addresses that packets in its name bear.
pub(super) fn addresses(scenario: &Scenario, index: HostIndex) -> Vec<IpAddr> {
    let mut addresses = vec![scenario.hosts[index].address];
    for injection in scenario.injections.iter().filter(|injection| injection.from == index) {
        if let InjectionSource::Address(source) = injection.source {
            let is_taken = scenario.hosts.iter().any(|host| host.address == source.ip());
            if !is_taken && !addresses.contains(&source.ip()) {
                addresses.push(source.ip());
            }
        }
    }
    addresses
}

fn action(action: &Action) -> sim::Action {
    match *action {
        Action::Drop => sim::Action::Drop,
        Action::Delay { delay_ms } => sim::Action::Delay(Duration::from_millis(delay_ms)),
        Action::Duplicate => sim::Action::Duplicate,
        Action::Reorder => sim::Action::Reorder,
        Action::Corrupt { bit } => sim::Action::Corrupt { bit },
    }
}
