//! The same seed gives the same run, to the byte of every event; another seed gives another.

use std::time::Duration;

use tcpstack::device::Impairment;
use tcpstack::host::{Error, Shutdown};
use tcpstack::sim::World;

use super::script::{at, text};

const BAD: Impairment = Impairment {
    loss: 0.05,
    delay: Duration::from_millis(10),
    jitter: Duration::from_millis(2),
    reorder: 0.05,
    duplicate: 0.02,
    corrupt: 0.01,
    rate: Some(50_000_000),
    ..Impairment::NONE
};

/// Three clients send a server 200 kB each over bad links; the events of all hosts as JSON lines.
fn run(seed: u64) -> String {
    let mut world = World::new(seed);
    world.start_recording();
    let server_host = world.add_host("server", ["10.0.0.100".parse().unwrap()]);
    let remote = at("10.0.0.100", 80);
    let listener = world.listen(server_host, remote, 16).unwrap();
    let sent = text(200_000);
    let mut clients: Vec<_> = (1..=3)
        .map(|number| {
            let address = format!("10.0.0.{number}").parse().unwrap();
            let host = world.add_host(&format!("client {number}"), [address]);
            world.link(host, server_host, BAD);
            (world.connect(host, remote).unwrap(), &sent[..])
        })
        .collect();
    let (mut servers, mut received) = (Vec::new(), 0);
    world.drive(Duration::from_secs(3600), |world| {
        for (client, left) in &mut clients {
            while let Ok(taken @ 1..) = world.send(*client, left) {
                *left = &left[taken..];
                if left.is_empty() {
                    world.shutdown(*client, Shutdown::Write).unwrap();
                }
            }
        }
        servers.extend(world.accept(listener));
        for server in &servers {
            match world.recv(*server, usize::MAX) {
                Ok(bytes) => received += bytes.len(),
                Err(error) => assert_eq!(error, Error::WouldBlock, "seed {seed}"),
            }
        }
        received == 3 * sent.len()
    });
    assert_eq!(received, 3 * sent.len(), "seed {seed}");
    world.run_for(Duration::from_secs(100));
    let lines = world.events().iter().map(|event| serde_json::to_string(event).unwrap());
    lines.fold(String::new(), |all, line| all + &line + "\n")
}

#[test]
fn the_same_seed_gives_the_same_events_to_the_byte() {
    let seed = super::script::seed();
    let first = run(seed);
    assert!(first.lines().count() > 1000);
    assert!(first == run(seed), "seed {seed} gives two runs");
    assert!(first != run(seed + 1), "the seed changes nothing");
}
