//! One seed: two hosts, a bad network, some connections, their programs, and what must hold at the end.

use std::time::Duration;

use tcpstack::event::Event;
use tcpstack::host::Error;
use tcpstack::sim::{Conditions, HostId, Socket, World};

use super::application::{Application, Role};
use super::chance::Chance;

/// What is left when the programs have closed ends within that, in virtual time.
const LIMIT: Duration = Duration::from_secs(48 * 3600);
/// An application also acts when nothing happens, at least so often.
const TICK: Duration = Duration::from_millis(10);
/// And gives up after so many of them in which nothing moved: the other end may have gone without a
/// word. What moves may take its time: tiny segments on a link that loses every fifth packet, with
/// retransmission timeouts of two minutes.
const PATIENCE_TICKS: u32 = 2_000_000;

pub(crate) struct Life {
    chance: Chance,
    world: World,
    hosts: [HostId; 2],
    listener: Socket,
    clients: Vec<Application>,
    servers: Vec<Application>,
    /// Both programs only do what ends well, so all must arrive.
    is_gentle: bool,
}

impl Life {
    pub(crate) fn new(seed: u64) -> Life {
        Life::begin(seed, false)
    }

    /// Lives it, and returns every event of it.
    pub(crate) fn recorded(seed: u64) -> Vec<Event> {
        let mut life = Life::begin(seed, true);
        life.run();
        life.world.events().to_vec()
    }

    fn begin(seed: u64, is_recorded: bool) -> Life {
        let mut chance = Chance::new(seed);
        let mut world = World::new(seed);
        if is_recorded {
            world.start_recording();
        }
        let [left, right] = chance.one_of(&[["10.0.0.1", "10.0.0.2"], ["fd00::1", "fd00::2"]]);
        let hosts = [left, right].map(|address| world.add_host_with(chance.config(address)));
        let (forth, back) = (chance.impairment(), chance.impairment());
        world.link(hosts[0], hosts[1], Conditions { forth, back });
        let remote = std::net::SocketAddr::new(right.parse().expect("an address"), 80);
        let listener = world.listen(hosts[1], remote, 16).expect("the port is free");
        let is_gentle = chance.percent(60);
        let clients = (0..1 + chance.below(3) as usize)
            .map(|connection| {
                let socket = world.connect(hosts[0], remote).expect("a port is free");
                let role = Role::Client;
                Application::new(&mut chance, &mut world, socket, connection, role, !is_gentle)
            })
            .collect();
        Life { chance, world, hosts, listener, clients, servers: Vec::new(), is_gentle }
    }

    /// Lives it to its end.
    pub(crate) fn live(mut self) {
        self.run();
        for host in self.hosts {
            let left = self.world.host(host).connections();
            assert!(left.is_empty(), "left over: {left:?}");
        }
    }

    fn run(&mut self) {
        let is_done = self.go_on();
        assert!(is_done || !self.is_gentle, "a gentle life does not end: {}", self.describe());
        self.compare();
        for application in self.clients.iter_mut().chain(&mut self.servers) {
            application.close(&mut self.world);
        }
        self.world.close(self.listener).expect("it listens");
        self.world.run_for(LIMIT);
    }

    /// Lets the programs act until all are done; false if they stand still.
    fn go_on(&mut self) -> bool {
        let (mut progress, mut idle_ticks) = (self.progress(), 0);
        while idle_ticks < PATIENCE_TICKS {
            if self.tick() {
                return true;
            }
            idle_ticks += 1;
            let now = self.progress();
            if now != progress {
                (progress, idle_ticks) = (now, 0);
            }
        }
        false
    }

    /// What grows with whatever the programs get done, and has an end.
    fn progress(&self) -> u64 {
        let programs = self.clients.iter().chain(&self.servers);
        programs
            .map(|program| 1 + program.sent + program.received + u64::from(program.at_end))
            .sum()
    }

    /// Lets the programs act until all are done, for one tick at most.
    fn tick(&mut self) -> bool {
        let Life { chance, world, listener, clients, servers, is_gentle, .. } = self;
        world.drive(TICK, |world| {
            while let Some(server) = accept(chance, world, *listener, clients, !*is_gentle) {
                servers.push(server);
            }
            for application in clients.iter_mut().chain(servers.iter_mut()) {
                application.act(chance, world);
            }
            servers.len() >= clients.len()
                && clients.iter().chain(servers.iter()).all(Application::is_done)
                || clients.iter().all(|client| client.error.is_some() || client.is_closed)
        })
    }

    /// What a failure shows.
    fn describe(&self) -> String {
        let [left, right] = self.hosts.map(|host| self.world.host(host).connections());
        let programs = self.clients.iter().chain(&self.servers);
        let programs: Vec<_> = programs.map(Application::describe).collect();
        format!("{left:#?} {right:#?} {programs:#?}")
    }

    /// Nothing was made up, and in a gentle life nothing was lost.
    fn compare(&self) {
        for server in &self.servers {
            let client = &self.clients[server.connection];
            assert!(
                server.received <= client.sent && client.received <= server.sent,
                "{}",
                self.describe()
            );
            if self.is_gentle {
                assert_eq!((client.error, server.error), (None, None), "{}", self.describe());
                assert_eq!(server.received, client.sent, "bytes for the server");
                assert_eq!(client.received, server.sent, "bytes for the client");
            }
        }
    }
}

/// The next connection, with the program of its client's other end.
fn accept(
    chance: &mut Chance,
    world: &mut World,
    listener: Socket,
    clients: &[Application],
    is_rude: bool,
) -> Option<Application> {
    let accepted = world.with_host(listener.host, |host, now| host.accept(now, listener.id));
    let (id, peer) = match accepted {
        Ok(accepted) => accepted,
        Err(Error::WouldBlock) => return None,
        Err(error) => panic!("accept: {error}"),
    };
    let socket = Socket { host: listener.host, id };
    let client = clients.iter().find(|client| client.client_end == peer);
    let connection = client.expect("some client connected").connection;
    Some(Application::new(chance, world, socket, connection, Role::Server(peer), is_rude))
}
