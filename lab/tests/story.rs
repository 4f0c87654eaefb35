//! Several recordings become one story: who belongs together, and in which order.

mod stage;

use stage::plays;
use tcpstack::event::{ConnectionName, Kind, Reason};
use tcpstack::wire::tcp::Flags;
use tcpstack_lab::lesson;
use tcpstack_lab::recording::{self, Source};
use tcpstack_lab::run::Run;
use tcpstack_lab::stage::play;
use tcpstack_lab::story::{
    Close, Fate, Story, What, condense, find_conversations, summarise, tell,
};

fn sources(hosts: Vec<stage::Host>) -> Vec<Source> {
    hosts.into_iter().map(stage::Host::source).collect()
}

fn run(sources: &[Source]) -> Run {
    recording::run(sources, false)
}

fn story(sources: &[Source]) -> Story {
    let run = run(sources);
    tell(&run, &find_conversations(&run.events), 1)
}

/// Whether every segment's arrival comes after its sending.
fn is_causal(story: &Story) -> bool {
    let position = |wanted: What| story.moments.iter().position(|moment| moment.what == wanted);
    (0..story.arrows.len())
        .all(|arrow| position(What::Sent(arrow)) < position(What::Arrived(arrow)))
}

#[test]
fn the_client_is_who_sent_the_first_syn_whichever_file_comes_first() {
    let mut hosts = plays::notes(40);
    for _ in 0..2 {
        hosts.reverse();
        let [conversation] = &find_conversations(&run(&sources(plays::notes(40))).events)[..]
        else {
            panic!("one connection expected")
        };
        assert_eq!(conversation.client.to_string(), stage::CLIENT);
        assert_eq!((conversation.j, conversation.k), (Some(stage::J), Some(stage::K)));
    }
}

#[test]
fn every_segment_that_both_saw_is_one_arrow() {
    let story = story(&sources(plays::notes(40)));
    assert_eq!(story.arrows.len(), 9);
    assert!(story.arrows.iter().all(|arrow| arrow.fate == Fate::Arrived));
    assert!(is_causal(&story));
}

#[test]
fn nothing_arrives_before_it_is_sent_when_clocks_disagree() {
    let mut sources = sources(plays::notes(40));
    // The server's clock is behind by more than a flight takes.
    for event in &mut sources[0].recording.events {
        event.time_ns -= 500_000;
    }
    let story = story(&sources);
    assert!(story.arrows.iter().all(|arrow| arrow.fate == Fate::Arrived));
    assert!(is_causal(&story));
}

#[test]
fn machines_are_compared_by_wall_time_and_processes_of_one_by_its_clock() {
    let spread = |epoch_ns: u64| {
        let mut sources = sources(plays::notes(40));
        sources[0].recording.header.unix_epoch_ns = 1_000_000_000_000 + epoch_ns;
        sources[1].recording.header.unix_epoch_ns = 1_000_000_000_000;
        let story = story(&sources);
        let times = || story.moments.iter().map(|moment| moment.time_ns);
        times().max().unwrap() - times().min().unwrap()
    };
    assert_eq!(spread(0), 1_577_000);
    assert_eq!(spread(1_000_000), 1_577_000);
    assert!(spread(5_000_000_000) > 5_000_000_000);
}

#[test]
fn the_same_ports_used_again_are_another_connection() {
    let mut hosts = plays::notes(40);
    let mut later = plays::notes(40);
    let server = stage::joined(hosts.remove(0), later.remove(0).later(10_000, 1));
    let client = stage::joined(hosts.remove(0), later.remove(0).later(10_000, 1));
    let run = run(&sources(vec![server, client]));
    let conversations = find_conversations(&run.events);
    assert_eq!(conversations.len(), 2);
    for number in [1, 2] {
        assert_eq!(tell(&run, &conversations, number).arrows.len(), 9);
    }
}

#[test]
fn segments_without_a_connection_are_told_apart_by_their_ends() {
    // Number 0 is what a host calls every segment that none of its sockets wants.
    let mut hosts = Vec::new();
    let mut server = stage::Host::new(stage::SERVER, stage::CLIENT);
    for port in [50_001, 50_002] {
        let local = format!("10.7.0.2:{port}");
        let mut client = stage::Host::new(&local, stage::SERVER);
        let syn = stage::segment(Flags::SYN, 0, 0);
        client.sends(port, &syn, Reason::ActiveOpen);
        let name = ConnectionName {
            id: 0,
            local: stage::SERVER.parse().unwrap(),
            remote: Some(local.parse().unwrap()),
        };
        let Kind::SegmentSent(record) = client.events[0].kind.clone() else { unreachable!() };
        server.record(port + 10, Some(name), Kind::SegmentReceived(record), None);
        hosts.push(client);
    }
    hosts.push(server);
    let run = run(&sources(hosts));
    let conversations = find_conversations(&run.events);
    assert_eq!(conversations.len(), 2);
    let story = tell(&run, &conversations, 2);
    assert_eq!(story.arrows.len(), 1);
    assert_eq!(story.arrows[0].fate, Fate::Arrived);
}

#[test]
fn the_summary_says_who_closed_and_how() {
    let close = |hosts| summarise(&story(&sources(hosts)))[0].close;
    assert_eq!(close(plays::notes(40)), Close::Fin(0));
    assert_eq!(close(plays::simultaneous_close()), Close::Both);
    assert_eq!(close(plays::refused()), Close::Refused(1));
    assert_eq!(close(plays::loss()), Close::Open);
    let mut alone = plays::refused();
    alone[0].events.retain(|event| !matches!(event.kind, Kind::SegmentReceived(_)));
    alone.truncate(1);
    assert_eq!(close(alone), Close::Unanswered);
}

#[test]
fn the_summary_counts_bytes_once_and_segments_as_often_as_they_flew() {
    let summary = &summarise(&story(&sources(plays::loss())))[0];
    let [there, back] = summary.flows;
    assert_eq!((there.bytes, there.segments, there.retransmissions, there.lost), (16, 4, 1, 1));
    assert_eq!((back.bytes, back.segments, back.lost), (3, 3, 1));
}

#[test]
fn condensing_loses_no_byte_of_a_bulk_transfer() {
    let whole = story(&sources(plays::bulk()));
    let sent = |story: &Story| -> u64 {
        let bytes = |what: &What| match what {
            What::Sent(arrow) => story.arrows[*arrow].segment.len as u64,
            What::Bulk(bulk) => bulk.flows.iter().map(|flow| flow.bytes).sum(),
            _ => 0,
        };
        story.moments.iter().map(|moment| bytes(&moment.what)).sum()
    };
    let condensed = condense(whole.clone(), false);
    assert_eq!(sent(&whole), 146_000);
    assert_eq!(sent(&condensed), 146_000);
    assert!(condensed.moments.len() < whole.moments.len() / 3);
    assert_eq!(condense(whole.clone(), true).moments.len(), whole.moments.len());
}

#[test]
fn what_was_forged_and_what_no_connection_wanted_belong_to_the_connection_they_name() {
    let lesson = lesson::find("attacks").unwrap();
    let run = play(lesson, "blind-reset", &[]).unwrap();
    let conversations = find_conversations(&run.events);
    assert_eq!(conversations.len(), 1);
    let story = tell(&run, &conversations, 1);
    let resets = story.arrows.iter().filter(|arrow| arrow.has_flag("RST"));
    let by_whom = resets.map(|arrow| arrow.forged_by.as_deref());
    // Two that a stranger made; the server's own, when the client speaks to a connection that is gone.
    assert_eq!(by_whom.collect::<Vec<_>>(), [Some("stranger"), Some("stranger"), None]);
    // The second one had the number that the server waited for.
    assert_eq!(summarise(&story)[0].close, Close::Forged);
}
