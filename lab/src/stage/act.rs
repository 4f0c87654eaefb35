//! The play itself: programs go on whenever they can, injected packets come when they are due, and in
//! between the world moves from event to event.

use std::collections::BTreeMap;
use std::time::Duration;

use tcpstack::host::Domain;
use tcpstack::sim::World;
use tcpstack::time::Instant;

use super::EVENTS_MAX;
use super::inject::{Injected, Injector};
use super::player::Player;
use super::setting::Setting;
use crate::lesson::Scenario;
use crate::run::{Line, Position};

/// What the world itself does not keep.
#[derive(Default)]
pub(super) struct Acted {
    /// Where calls stand in their programs, by the event of their entry.
    pub(super) lines: BTreeMap<Position, Vec<Line>>,
    /// The packets from outside.
    pub(super) injected: Vec<Injected>,
    /// What the scenario did not expect.
    pub(super) surprises: Vec<String>,
}

/// Plays until nothing can happen any more, or a bound is met.
pub(super) fn act(scenario: &Scenario, setting: &mut Setting) -> Acted {
    let hosts = &setting.hosts;
    let players = scenario.programs.iter().map(|program| {
        let domain = Domain::of(scenario.hosts[program.host].address);
        Player::new(program, hosts[program.host], domain)
    });
    let mut company = Company {
        players: players.collect(),
        injector: Injector::new(scenario, hosts),
        acted: Acted::default(),
    };
    let world = &mut setting.world;
    let end = Instant::ZERO + scenario.until;
    while world.now() < end && world.events().len() < EVENTS_MAX {
        company.go_on(world);
        let until = company.next_wake(world.now()).unwrap_or(end).min(end);
        let limit = Duration::from_nanos(until.as_nanos().saturating_sub(world.now().as_nanos()));
        world.drive(limit, |world| {
            company.go_on(world);
            let is_awaited = company.next_wake(world.now()).is_some_and(|wake| wake < until);
            is_awaited || world.events().len() >= EVENTS_MAX
        });
    }
    let mut acted = company.acted;
    for player in &company.players {
        acted.surprises.extend(player.unfinished());
    }
    if world.events().len() >= EVENTS_MAX {
        acted.surprises.push(format!("the run was cut off after {EVENTS_MAX} events"));
    }
    acted
}

/// All who act.
struct Company<'a> {
    players: Vec<Player<'a>>,
    injector: Injector<'a>,
    acted: Acted,
}

impl Company<'_> {
    fn go_on(&mut self, world: &mut World) {
        self.injector.go_on(world, &mut self.acted.injected);
        for player in &mut self.players {
            player.go_on(world, &mut self.acted);
        }
    }

    /// When somebody acts who does not wait for an event of the world.
    fn next_wake(&self, now: Instant) -> Option<Instant> {
        let wakes = self.players.iter().filter_map(Player::wake);
        wakes.chain(self.injector.wake()).filter(|wake| *wake > now).min()
    }
}
