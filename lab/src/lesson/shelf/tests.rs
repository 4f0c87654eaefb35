//! A lesson's file becomes a lesson, or is refused with its line and a word on what would be right.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::lesson::{Call, Repeat};
use crate::run::{Action, Line};

const HEAD: &str = r#"
number = 7
id = "seven"
title = { en = "T", zh = "题" }
summary = { en = "S", zh = "要" }
"#;

const SCENARIO: &str = r#"
[[scenario]]
id = "one"
title = { en = "One", zh = "一" }
text = { en = "One.", zh = "一。" }
[[scenario.program]]
host = "client"
calls = [{ call = "socket" }, { call = "connect", address = "server:80" }]
"#;

/// The head's lines come before those of `rest`.
fn parse(rest: &str) -> Result<LessonFile, String> {
    let listing = |name: &str| match name {
        "a/client.c" => Ok("int fd = socket(1);\nconnect(fd);\nclose(fd);\nclose(2);\n".to_owned()),
        _ => Err("there is no such file".to_owned()),
    };
    let toml = format!("{HEAD}{rest}");
    LessonFile::parse("x.toml", &toml, &listing).map_err(|error| error.to_string())
}

/// The message, without the file's name: `LINE: MESSAGE`.
fn refusal(rest: &str) -> String {
    let message = parse(rest).expect_err("this ought to be refused");
    message.strip_prefix("x.toml:").expect("it names the file").to_owned()
}

#[test]
fn every_lesson_of_the_program_is_read() {
    let numbers: Vec<u32> = lessons().iter().map(|file| file.lesson.number).collect();
    let distinct: BTreeSet<u32> = numbers.iter().copied().collect();
    assert_eq!(numbers, distinct.into_iter().collect::<Vec<_>>(), "each number once, in order");
    let ids: BTreeSet<&str> = lessons().iter().map(|file| file.lesson.id.as_str()).collect();
    assert_eq!(ids.len(), numbers.len(), "each id once");
    assert_eq!(find("1").map(|file| &file.lesson), find("handshake").map(|file| &file.lesson));
}

#[test]
fn a_scenario_begins_with_two_hosts_20_ms_apart() {
    let file = parse(SCENARIO).unwrap();
    let scenario = file.scenario("one").unwrap();
    let names: Vec<&str> = scenario.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["client", "server"]);
    assert_eq!(scenario.links[0].delay, Duration::from_millis(20));
    let connect = &scenario.programs[0].steps[1].call;
    assert_eq!(*connect, Call::Connect { address: "10.0.0.2:80".parse().unwrap() });
}

#[test]
fn an_extension_changes_what_it_says_and_keeps_the_rest() {
    let file = parse(&format!(
        r#"{SCENARIO}
[[scenario]]
id = "two"
extends = "one"
title = {{ en = "Two", zh = "二" }}
text = {{ en = "Two.", zh = "二。" }}
seed = 5
link = {{ both = {{ delay = "1ms" }}, from = {{ client = {{ loss = "1%" }} }} }}
[[scenario.host]]
name = "server"
knobs = {{ tcp_sack = 0 }}
[[scenario.rule]]
from = "client"
number = 2
last = 3
action = "corrupt"
bit = 160
"#
    ))
    .unwrap();
    let two = file.scenario("two").unwrap();
    assert_eq!((two.seed, two.links[0].loss, two.links[1].loss), (5, 0.01, 0.0));
    assert_eq!(two.hosts[1].knobs.get("tcp_sack").as_deref(), Some("0"));
    assert_eq!(two.programs, file.scenario("one").unwrap().programs);
    let numbers: Vec<u64> = two.rules.iter().map(|rule| rule.number).collect();
    assert_eq!((numbers, &two.rules[0].action), (vec![2, 3], &Action::Corrupt { bit: 160 }));
}

#[test]
fn a_call_knows_its_line_in_each_listing() {
    let scenario = SCENARIO.replace(
        "calls = [",
        r#"listings = ["a/client.c"]
calls = ["#,
    );
    let file = parse(&scenario).unwrap();
    let steps = &file.scenario("one").unwrap().programs[0].steps;
    assert_eq!(steps[1].lines, [Line { file: "client.c".into(), line: 2 }]);
    let twice = scenario.replace("{ call = \"socket\" }", "{ call = \"close\" }");
    assert_eq!(
        refusal(&twice),
        "14: `close(` stands in 2 lines of client.c: expected `source` to be a part of one line alone",
    );
}

#[test]
fn a_call_is_made_once_or_until_there_is_no_more() {
    let with = |keys: &str| parse(&SCENARIO.replace("{ call = \"socket\" }", keys));
    let repeat = |keys: &str| {
        with(keys).map(|file| file.scenario("one").unwrap().programs[0].steps[0].repeat)
    };
    assert_eq!(repeat("{ call = \"recv\" }"), Ok(Repeat::Times(1)));
    assert_eq!(repeat("{ call = \"recv\", until = \"eof\" }"), Ok(Repeat::Eof));
    assert_eq!(repeat("{ call = \"recv\", until = 3000 }"), Ok(Repeat::Bytes(3000)));
    assert!(repeat("{ call = \"recv\", until = \"end\" }").unwrap_err().contains("`eof`"));
    assert!(repeat("{ call = \"recv\", until = 1, repeat = 2 }").is_err());
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_what_would_be_right() {
    let wrong = [
        ("id = \"one\"", "id = \"One\"", "8: `One`: expected an id"),
        (
            "host = \"client\"",
            "host = \"clint\"",
            "12: `clint`: expected one of the hosts client, server",
        ),
        ("call = \"socket\"", "call = \"sockt\"", "13: `sockt`: expected one of socket, bind"),
        (
            "call = \"socket\"",
            "call = \"socket\", max = 5",
            "13: `socket` has no `max`: expected as",
        ),
        ("call = \"socket\"", "call = \"socket\", mx = 5", "13: unknown field `mx`"),
        ("server:80", "sever:80", "13: `sever:80`: expected a host and a port"),
        ("call = \"socket\"", "call = \"send\"", "13: `send` lacks `text` or `bytes`"),
        (
            "call = \"socket\"",
            "call = \"send\", bytes = 99999999",
            "13: 99999999: expected a number",
        ),
        ("call = \"socket\"", "call = \"sleep\", for = \"1\"", "13: `1`: expected a time such as"),
        (
            "title = { en = \"One\", zh = \"一\" }",
            "title = { en = \"One\" }",
            "9: missing field `zh`",
        ),
        ("text = {", "extends = \"none\"\ntext = {", "10: `none`: no scenario stands above"),
        (
            "text = {",
            "link = { both = { los = 1 } }\ntext = {",
            "10: `los=1`: expected one of loss",
        ),
    ];
    for (from, to, expected) in wrong {
        assert!(SCENARIO.contains(from), "{from}");
        let message = refusal(&SCENARIO.replacen(from, to, 1));
        assert!(message.starts_with(expected), "{to}: {message}");
    }
}

#[test]
fn rules_and_landmarks_name_what_there_is() {
    let wrong = [
        (
            "[[scenario.rule]]\nfrom = \"client\"\nnumber = 1\naction = \"lose\"",
            "expected the action drop",
        ),
        (
            "[[scenario.rule]]\nfrom = \"client\"\nnumber = 1\naction = \"delay\"",
            "`delay` lacks how long",
        ),
        (
            "[[scenario.rule]]\nfrom = \"client\"\nnumber = 0\naction = \"drop\"",
            "0: expected a number from 1",
        ),
        (
            "[[scenario.inject]]\nat = \"1s\"\nfrom = \"client\"\nto = \"server\"\nflags = \"SYN\"",
            "expected packets from a host with `outside = true`",
        ),
        (
            "[[scenario.host]]\nname = \"client\"\nknobs = { tcp_sack = 7 }",
            "`tcp_sack=7`: expected",
        ),
        ("[[scenario.host]]\nname = \"third\"", "the host `third` lacks `address`"),
        (
            "[[scenario]]\nid = \"more\"\nextends = \"one\"\ntitle = { en = \"a\", zh = \"b\" }\n\
             text = { en = \"a\", zh = \"b\" }\n[[scenario.host]]\nname = \"third\"\naddress = \"10.0.0.3\"",
            "keeps its hosts",
        ),
        (
            "[[scenario.host]]\nname = \"third\"\naddress = \"10.0.0.1\"",
            "two hosts have the address",
        ),
    ];
    for (more, expected) in wrong {
        let message = refusal(&format!("{SCENARIO}{more}\n"));
        assert!(message.contains(expected), "{more}: {message}");
    }
    let landmark = |event: &str| {
        refusal(&format!(
            "{SCENARIO}[[scenario.landmark]]\nid = \"x\"\ntitle = {{ en = \"x\", zh = \"甲\" }}\n\
             text = {{ en = \"x\", zh = \"甲\" }}\nevent = {event}\n"
        ))
    };
    assert!(landmark("{ host = \"client\", kind = \"sent\" }").contains("`sent`: expected one of"));
    let state = "{ host = \"client\", kind = \"state_changed\", state = \"OPEN\" }";
    assert!(landmark(state).contains("`OPEN`: expected one of CLOSED, LISTEN"));
    let flags = "{ host = \"client\", kind = \"segment_sent\", flags = \"SYN+ACK\" }";
    assert!(landmark(flags).contains("expected flags as `SYN|ACK`"));
}

#[test]
fn listings_lie_below_the_lesson() {
    for path in ["/etc/passwd.c", "../secret.c", "a/../../x.py", "a//b.c", "notes.txt"] {
        let scenario = SCENARIO.replace("calls", &format!("listings = [\"{path}\"]\ncalls"));
        assert!(refusal(&scenario).starts_with(&format!("13: `{path}`: expected")), "{path}");
    }
}
