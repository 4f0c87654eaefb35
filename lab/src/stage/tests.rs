//! Scenarios become runs: programs wait and go on, rules meet their packets, and the same comes of the
//! same.

use super::*;
use crate::run::{Action, Fate, Origin, difference, lines};
use tcpstack::event::{Event, Kind};

const HEAD: &str = r#"
number = 1
id = "test"
title = { en = "T", zh = "题" }
summary = { en = "S", zh = "要" }
[[scenario]]
id = "one"
title = { en = "One", zh = "一" }
text = { en = "One.", zh = "一。" }
"#;

/// A server that reads to the end, and a client that sends so many bytes.
fn transfer(bytes: usize, server: &str) -> String {
    format!(
        r#"{HEAD}
[[scenario.program]]
host = "server"
calls = [
    {{ call = "socket", as = "listener" }},
    {{ call = "bind", address = "server:80" }},
    {{ call = "listen" }},
    {{ call = "accept" }},
    {server}
    {{ call = "close" }},
    {{ call = "close" }},
]
[[scenario.program]]
host = "client"
calls = [
    {{ call = "socket" }},
    {{ call = "connect", address = "server:80" }},
    {{ call = "send", bytes = {bytes}, expect = "{bytes}" }},
    {{ call = "close" }},
]
"#
    )
}

const READ_ALL: &str = r#"{ call = "recv", until = "eof", expect = "0" },"#;

fn file(toml: &str) -> LessonFile {
    LessonFile::parse("x.toml", toml, &|_| Err("there is none".to_owned())).unwrap()
}

fn perform_with(toml: &str, rules: &[&str]) -> Performance {
    let rules: Vec<Rule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    perform(&file(toml), "one", &rules).unwrap()
}

fn sent_numbers(run: &Run, host: HostIndex) -> Vec<u64> {
    run.flights
        .iter()
        .filter(|flight| flight.from == host && flight.fate != Fate::Duplicate)
        .filter_map(|flight| flight.number)
        .collect()
}

fn is_received(event: &Event) -> bool {
    matches!(event.kind, Kind::SegmentReceived(_))
}

#[test]
fn programs_come_to_their_end_and_every_segment_is_a_flight() {
    let Performance { run, packets, surprises } = perform_with(&transfer(5, READ_ALL), &[]);
    assert_eq!(surprises, Vec::<String>::new());
    let numbers = sent_numbers(&run, 0);
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    let sent = run.events.iter().filter(|event| matches!(event.kind, Kind::SegmentSent(_)));
    assert_eq!(run.flights.len(), sent.count());
    for flight in &run.flights {
        let (Some(sent), Some(received)) = (flight.sent, flight.received) else {
            panic!("{flight:?}");
        };
        assert!(sent < received && is_received(&run.events[received]));
        assert_eq!(run.events[sent].time_ns + 20_000_000, run.events[received].time_ns);
    }
    assert_eq!(packets.len(), 2 * run.flights.len(), "each is seen at both ends");
    assert!(packets.iter().all(|packet| packet.event.is_some() && packet.bytes[0] >> 4 == 4));
}

#[test]
fn the_same_scenario_with_the_same_rules_is_the_same_run() {
    let toml = transfer(20_000, READ_ALL);
    let play = || perform_with(&toml, &["client:4:drop", "server:2:delay:50"]).run;
    assert_eq!(play(), play());
}

#[test]
fn a_send_waits_while_no_byte_is_free() {
    let late = r#"{ call = "sleep", for = "1s" }, { call = "recv", until = "eof", expect = "0" },"#;
    let small = |host: &str, buffer: &str| {
        let knobs = format!("knobs = {{ {buffer} = \"4096 16384 16384\" }}");
        format!("[[scenario.host]]\nname = \"{host}\"\n{knobs}\n")
    };
    let toml =
        transfer(100_000, late) + &small("client", "tcp_wmem") + &small("server", "tcp_rmem");
    let Performance { run, surprises, .. } = perform_with(&toml, &[]);
    assert_eq!(surprises, Vec::<String>::new());
    let send = run.calls.iter().find(|call| call.name == "send").unwrap();
    let (blocked, returned) = (send.blocked.unwrap(), send.returned.unwrap());
    assert!(run.events[blocked].time_ns < 100_000_000);
    assert!(run.events[returned].time_ns > 1_000_000_000, "nobody read before");
    assert!(run.limits.iter().any(|span| span.limit == "receiver"), "{:?}", run.limits);
    let closed = run.questions.iter().find(|question| question.answer == "0");
    assert_eq!(closed.unwrap().subject, crate::run::Subject::Window);
}

#[test]
fn a_rule_meets_its_packet_and_the_difference_says_so() {
    let toml = transfer(5, READ_ALL);
    let before = perform_with(&toml, &[]).run;
    for (rule, fate) in [
        ("client:3:drop", Fate::Lost),
        ("client:3:corrupt:256", Fate::Damaged),
        ("client:3:delay:10", Fate::Arrived),
        ("client:3:reorder", Fate::Arrived),
    ] {
        let after = perform_with(&toml, &[rule]).run;
        let met: Vec<&crate::run::Flight> =
            after.flights.iter().filter(|flight| flight.rule == Some(0)).collect();
        assert_eq!((met.len(), met[0].number, met[0].fate), (1, Some(3), fate), "{rule}");
        let difference = difference(&before, &after).unwrap();
        let at = difference.before.unwrap();
        assert_eq!(before.events[..at], after.events[..at], "{rule}: all before is the same");
        assert!(difference.text.en.starts_with("Packet 3 of client ("), "{}", difference.text.en);
        assert!(difference.text.zh.starts_with("客户端的第 3 个分组"), "{}", difference.text.zh);
    }
    assert_eq!(difference(&before, &before.clone()), None);
}

#[test]
fn a_packet_that_sets_out_twice_is_two_flights() {
    let run = perform_with(&transfer(5, READ_ALL), &["client:3:duplicate"]).run;
    let copies: Vec<Fate> = run
        .flights
        .iter()
        .filter(|flight| flight.from == 0 && flight.number == Some(3))
        .map(|flight| flight.fate)
        .collect();
    assert_eq!(copies, [Fate::Arrived, Fate::Duplicate]);
}

#[test]
fn what_a_reader_asks_for_is_checked() {
    let file = file(&transfer(5, READ_ALL));
    let rule = |text: &str| text.parse::<Rule>().unwrap();
    let refusal = |scenario, rules: &[Rule]| play(&file, scenario, rules).unwrap_err().to_string();
    assert_eq!(refusal("two", &[]), "the lesson has no scenario `two`: expected one of one");
    assert_eq!(
        refusal("one", &[rule("router:1:drop")]),
        "`router` sends no packets in this scenario: expected one of client, server",
    );
    let zeroth = Rule { number: 0, ..rule("client:1:drop") };
    let sends = "it sends 5 in this scenario, numbered from 1";
    assert_eq!(refusal("one", &[zeroth]), format!("there is no packet 0 of `client`: {sends}"));
    let beyond = [rule("client:5:duplicate"), rule("client:6:drop")];
    assert_eq!(refusal("one", &beyond), format!("there is no packet 6 of `client`: {sends}"));
    let many = vec![rule("client:1:drop"); RULES_MAX + 1];
    assert_eq!(refusal("one", &many), "1001 rules: expected 1000 at most");
}

#[test]
fn a_rule_may_be_for_a_packet_that_is_there_only_because_of_another() {
    let rules = ["client:5:drop", "client:6:drop"];
    let run = perform_with(&transfer(5, READ_ALL), &rules).run;
    // The last ACK is sent again when it was lost.
    assert!(run.flights.iter().any(|flight| flight.rule == Some(1)));
}

#[test]
fn the_rules_of_a_run_say_whose_they_are() {
    let toml = transfer(5, READ_ALL)
        + "[[scenario.rule]]\nfrom = \"client\"\nnumber = 1\naction = \"drop\"\n";
    let Origin::Simulated { rules, .. } = perform_with(&toml, &["server:1:drop"]).run.origin else {
        panic!("it is simulated");
    };
    let own: Vec<_> = rules.iter().map(|rule| (rule.from.as_str(), rule.of_scenario)).collect();
    assert_eq!(own, [("server", false), ("client", true)]);
    assert_eq!(rules[0].action, Action::Drop);
}

#[test]
fn packets_come_from_outside_and_answers_to_them_are_gone() {
    let toml = transfer(5, READ_ALL)
        + r#"
[[scenario.host]]
name = "attacker"
address = "203.0.113.5"
outside = true
[[scenario.inject]]
at = "5ms"
from = "attacker"
to = "server"
flags = "SYN"
seq = 100
count = 3
every = "1ms"
"#;
    let run = perform_with(&toml, &[]).run;
    // Between those that make calls.
    let outside = run.hosts.iter().position(|host| !host.recorded).unwrap();
    assert_eq!(outside, 1);
    let injected: Vec<_> = run.flights.iter().filter(|flight| flight.from == outside).collect();
    assert_eq!(injected.len(), 3);
    assert!(injected.iter().all(|flight| is_received(&run.events[flight.received.unwrap()])));
    let answers = run.flights.iter().filter(|flight| flight.to == outside);
    let answers: Vec<Fate> = answers.map(|flight| flight.fate).collect();
    assert!(answers.len() >= 3 && answers.iter().all(|fate| *fate == Fate::Unwitnessed));
}

#[test]
fn a_reset_in_the_clients_name_is_met_where_it_is_aimed() {
    let toml = transfer(5, r#"{ call = "recv", until = "eof" },"#).replace(
        "{ call = \"close\" },\n]",
        "{ call = \"sleep\", for = \"1s\" }, { call = \"close\" },\n]",
    );
    let aimed = |seq: i64| {
        format!(
            "{toml}\n[[scenario.host]]\nname = \"attacker\"\naddress = \"203.0.113.5\"\noutside = true\n\
             [[scenario.inject]]\nat = \"500ms\"\nfrom = \"attacker\"\nto = \"server\"\n\
             source = \"client\"\nflags = \"RST\"\nseq = {seq}\n"
        )
    };
    let exact = lines(&perform_with(&aimed(0), &[]).run);
    assert!(exact.contains("recv = -1 ECONNRESET"), "{exact}");
    let beside = lines(&perform_with(&aimed(1000), &[]).run);
    // RFC 5961 §3.2: not exactly what is expected next, so it is answered, and nothing else happens.
    assert!(beside.contains("0.500000 server   > #3 ACK seq=1 ack=6"), "{beside}");
    assert!(!beside.contains("ECONNRESET"), "{beside}");
}

#[test]
fn a_program_that_never_ends_is_told_of() {
    let toml = transfer(5, r#"{ call = "recv", max = 1, until = 6 }, { call = "recv" },"#)
        .replace("{ call = \"close\" },\n]\n", "]\n");
    let surprises = perform_with(&toml, &[]).surprises;
    assert_eq!(surprises, ["program server is still in its call 5, recv"]);
    let unexpected = transfer(5, r#"{ call = "recv", expect = "6" },"#);
    let surprises = perform_with(&unexpected, &[]).surprises;
    assert_eq!(surprises, ["program server, call 5: recv returned `5`, not `6`"]);
}

#[test]
fn a_program_that_ends_has_its_sockets_closed() {
    let toml = transfer(5, READ_ALL).replace(
        "\"5\" },\n    { call = \"close\" },",
        "\"5\" },\n    { call = \"exit\", by = \"SIGKILL\" },",
    );
    let run = perform_with(&toml, &[]).run;
    let told = lines(&run);
    assert!(told.contains(". exit(SIGKILL)") && told.contains("> #4 FIN|ACK"), "{told}");
}

#[test]
fn a_run_is_cut_off_where_it_becomes_too_long() {
    let performance = perform_with(&transfer(16_000_000, READ_ALL), &[]);
    assert!(performance.run.events.len() < EVENTS_MAX + 1000);
    assert!(performance.surprises.iter().any(|one| one.contains("cut off after 20000 events")));
}
