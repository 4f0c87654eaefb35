//! What hosts recorded as one run: who is there, the order of events, flights, the axis of time.

mod stage;

use stage::plays;
use tcpstack::event::{Kind, TimerName};
use tcpstack_lab::recording::{self, Source};
use tcpstack_lab::run::{Fate, Origin, Role, Run};

fn sources(hosts: Vec<stage::Host>) -> Vec<Source> {
    hosts.into_iter().map(stage::Host::source).collect()
}

fn run(hosts: Vec<stage::Host>) -> Run {
    recording::run(&sources(hosts), false)
}

/// The sequence numbers of a flight's two ends.
fn seen(run: &Run, at: Option<usize>) -> Option<u32> {
    match &run.events[at?].kind {
        Kind::SegmentSent(segment) | Kind::SegmentReceived(segment) => Some(segment.seq),
        _ => None,
    }
}

#[test]
fn clients_stand_left_of_servers_whichever_file_comes_first() {
    let mut hosts = plays::notes(40);
    hosts.reverse();
    for hosts in [plays::notes(40), hosts] {
        let run = run(hosts);
        let roles: Vec<_> = run.hosts.iter().map(|host| (host.role, host.recorded)).collect();
        assert_eq!(roles, [(Role::Client, true), (Role::Server, true)]);
        assert_eq!(run.hosts[0].addresses, ["10.7.0.2".parse::<std::net::IpAddr>().unwrap()]);
    }
}

#[test]
fn a_flight_joins_the_two_sights_of_one_segment() {
    let run = run(plays::notes(40));
    assert_eq!(run.flights.len(), 9);
    for flight in &run.flights {
        assert_eq!(flight.fate, Fate::Arrived);
        assert_eq!(seen(&run, flight.sent), seen(&run, flight.received));
        assert!(flight.sent < flight.received && flight.sent_ns < flight.received_ns);
        assert_eq!(*run.events[flight.sent.unwrap()].host, run.hosts[flight.from].name);
        assert_eq!(*run.events[flight.received.unwrap()].host, run.hosts[flight.to].name);
    }
    assert!(run.flights.is_sorted_by_key(|flight| flight.sent_ns));
}

#[test]
fn time_begins_with_the_first_event_and_deadlines_move_along() {
    let mut hosts = plays::notes(40);
    hosts[1].arms(2_000, TimerName::TimeWait, 60_000_000);
    let run = run(hosts);
    assert_eq!(run.events[0].time_ns, 0);
    let armed = run.events.iter().rev().find_map(|event| match event.kind {
        Kind::TimerArmed { deadline_ns, .. } => Some(deadline_ns - event.time_ns),
        _ => None,
    });
    assert_eq!(armed, Some(60_000_000_000));
}

#[test]
fn every_event_is_there_once_and_each_host_keeps_its_order() {
    let files = sources(plays::bulk());
    let run = recording::run(&files, false);
    let recorded: usize = files.iter().map(|file| file.recording.events.len()).sum();
    assert_eq!(run.events.len(), recorded);
    for host in &run.hosts {
        let own = run.events.iter().filter(|event| *event.host == *host.name);
        assert!(own.enumerate().all(|(at, event)| event.index == at as u64));
    }
}

#[test]
fn what_only_one_side_recorded_is_unwitnessed_at_the_other() {
    let mut hosts = plays::notes(40);
    hosts.remove(0);
    let run = run(hosts);
    let server = run.hosts.iter().find(|host| host.role == Role::Server).unwrap();
    assert_eq!((server.name.as_str(), server.recorded), ("10.7.0.1", false));
    assert!(run.flights.iter().all(|flight| flight.fate == Fate::Unwitnessed));
    assert!(run.flights.iter().all(|flight| flight.sent.is_some() != flight.received.is_some()));
}

#[test]
fn what_has_not_arrived_is_under_way_while_more_may_come_and_lost_afterwards() {
    // The server's file ends before the client's last segment can have arrived.
    let files = |live| {
        let mut hosts = plays::notes(40);
        let last = hosts[0].events.iter().rposition(
            |event| matches!(&event.kind, Kind::SegmentReceived(segment) if segment.flags == "ACK"),
        );
        hosts[0].events.truncate(last.unwrap());
        recording::run(&sources(hosts), live)
    };
    let fate = |run: &Run| run.flights.iter().rfind(|flight| flight.from == 0).unwrap().fate;
    assert_eq!(fate(&files(true)), Fate::Underway);
    assert_eq!(fate(&files(false)), Fate::Lost);
    assert!(matches!(files(true).origin, Origin::Recorded { live: true, .. }));
}

#[test]
fn two_files_of_one_host_are_counted_on() {
    let mut files = sources(plays::notes(40));
    let mut again = sources(plays::notes(40));
    for source in &mut again {
        source.recording.events.iter_mut().for_each(|event| event.time_ns += 10_000_000_000);
    }
    // In any order: the events decide which file is the earlier one.
    again.append(&mut files);
    let run = recording::run(&again, false);
    assert_eq!((run.hosts.len(), run.flights.len()), (2, 18));
    for host in &run.hosts {
        let own: Vec<_> = run.events.iter().filter(|event| *event.host == *host.name).collect();
        assert!(own.iter().enumerate().all(|(at, event)| event.index == at as u64));
        assert!(own.iter().all(|event| event.cause.is_none_or(|cause| cause < event.index)));
    }
    assert_eq!(tcpstack_lab::story::find_conversations(&run.events).len(), 2);
}

#[test]
fn a_run_in_json_is_read_back_as_it_was() {
    let run = run(plays::loss());
    let json = serde_json::to_string(&run).unwrap();
    assert_eq!(serde_json::from_str::<Run>(&json).unwrap(), run);
}

#[test]
fn client_and_server_have_the_same_colours_wherever_others_stand() {
    let lesson = tcpstack_lab::lesson::find("attacks").unwrap();
    let run = tcpstack_lab::stage::play(lesson, "blind-reset", &[]).unwrap();
    let names: Vec<&str> = run.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["client", "stranger", "server"]);
    assert_eq!([0, 1, 2].map(|host| run.lifeline(host)), [0, 2, 1]);
}
