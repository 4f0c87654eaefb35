//! Lessons and their runs over HTTP: played when they are asked for, and again with the reader's rules.

mod browser;

use std::thread;

use browser::{Answer, Browser, error, open_lesson};
use serde_json::{Value, json};
use tcpstack_lab::lesson::LessonFile;
use tcpstack_lab::server::{Opened, Session};

const OPEN: &str = "/api/runs/1/open";

fn post(browser: &Browser, path: &str, body: &str) -> Answer {
    browser.request("POST", path).body(body).send()
}

/// The run of the first scenario with one rule, or what is wrong with it.
fn again(browser: &Browser, rule: &Value) -> Answer {
    post(browser, OPEN, &json!({ "rules": [rule] }).to_string())
}

fn rule(from: &str, number: u64, action: &str) -> Value {
    json!({ "from": from, "number": number, "action": action })
}

#[test]
fn the_lessons_come_in_order_each_with_its_scenarios() {
    let lessons = open_lesson().get("/api/lessons").send().json();
    let lessons = lessons.as_array().unwrap();
    let numbers: Vec<u64> = lessons.iter().filter_map(|one| one["number"].as_u64()).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<u64>>());
    for lesson in lessons {
        assert!(lesson["scenarios"][0]["id"].is_string(), "{lesson}");
    }
}

#[test]
fn every_lesson_opens_with_a_run() {
    let browser = open_lesson();
    for lesson in browser.get("/api/lessons").send().json().as_array().unwrap() {
        let (id, scenario) = (&lesson["id"], &lesson["scenarios"][0]["id"]);
        let path = format!("/api/runs/{}/{}", id.as_str().unwrap(), scenario.as_str().unwrap());
        let run = browser.get(&path).send().json();
        assert_eq!(run["origin"]["type"], "simulated", "{path}");
        assert_eq!(run["origin"]["lesson"], lesson["number"]);
        assert!(run["events"].as_array().unwrap().len() > 10, "{path}");
    }
}

#[test]
fn a_lesson_goes_by_its_number_and_by_its_name() {
    let browser = open_lesson();
    let by_number = browser.get(OPEN).send();
    assert_eq!(by_number.status, 200);
    assert_eq!(by_number.body, browser.get("/api/runs/handshake/open").send().body);
}

#[test]
fn a_rule_gives_another_run_and_says_where_it_parts_from_the_first() {
    let browser = open_lesson();
    let before = browser.get(OPEN).send().json();
    let answer = again(&browser, &rule("client", 1, "drop"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let changed = answer.json();
    let run = &changed["run"];
    assert_eq!(run["origin"]["rules"][0]["from"], "client");
    let met = run["flights"].as_array().unwrap().iter().find(|flight| flight["rule"] == 0);
    assert_eq!((&met.unwrap()["fate"], &met.unwrap()["number"]), (&json!("lost"), &json!(1)));
    let at = |side: &str| changed["difference"][side].as_u64().unwrap() as usize;
    let (parts_before, parts_now) = (at("before"), at("after"));
    assert_ne!(before["events"][parts_before]["kind"], run["events"][parts_now]["kind"]);
    assert_eq!(before["events"][0], run["events"][0]);
}

#[test]
fn without_a_rule_the_run_is_the_same_and_parts_nowhere() {
    let browser = open_lesson();
    let changed = post(&browser, OPEN, r#"{"rules":[]}"#).json();
    assert_eq!(changed["difference"], Value::Null);
    assert_eq!(changed["run"], browser.get(OPEN).send().json());
}

#[test]
fn a_rule_that_can_meet_no_packet_is_refused_with_what_could() {
    let browser = open_lesson();
    let refusal = |rule: &Value| {
        let answer = again(&browser, rule);
        assert_eq!(answer.status, 422, "{}", answer.body);
        error(&answer.body)
    };
    assert!(refusal(&rule("router", 1, "drop")).contains("one of client, server"));
    for number in [0, 999, u64::MAX] {
        let why = refusal(&rule("client", number, "drop"));
        assert!(why.contains(&format!("no packet {number} of `client`: it sends ")), "{why}");
    }
}

#[test]
fn a_lesson_or_scenario_that_is_not_there_is_told_with_those_that_are() {
    let browser = open_lesson();
    for (path, right) in [
        ("/api/runs/99/open", "12"),
        ("/api/runs/nonsense/open", "12"),
        ("/api/runs/1/nonsense", "open, lost-syn"),
        ("/api/runs/1/%E4%B8%AD", "open, lost-syn"),
    ] {
        for answer in [browser.get(path).send(), post(&browser, path, r#"{"rules":[]}"#)] {
            assert_eq!(answer.status, 404, "{path}");
            assert!(error(&answer.body).contains(right), "{}", answer.body);
        }
    }
    // No UTF-8.
    let answer = browser.get("/api/runs/1/%FF").send();
    assert_eq!((answer.status, error(&answer.body).is_empty()), (400, false));
}

#[test]
fn garbage_instead_of_rules_is_refused_with_what_is_wrong_with_it() {
    let browser = open_lesson();
    for (body, status, wrong) in [
        ("", 400, "EOF"),
        ("{", 400, "EOF"),
        ("[]", 422, "an object with rules"),
        ("{}", 422, "rules"),
        (r#"{"rules":[{"from":"client","number":1,"action":"explode"}]}"#, 422, "explode"),
        (r#"{"rules":[{"from":"client","number":1}]}"#, 422, "action"),
        (r#"{"rules":[{"from":"client","number":-1,"action":"drop"}]}"#, 422, "-1"),
        (r#"{"rules":[{"from":"client","number":1,"action":"delay"}]}"#, 422, "delay_ms"),
        (r#"{"rules":[],"more":1}"#, 422, "more"),
    ] {
        let answer = post(&browser, OPEN, body);
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(error(&answer.body).contains(wrong), "{}", answer.body);
    }
    let form = browser.request("POST", OPEN).of_type("text/plain").body("{}").send();
    assert_eq!((form.status, error(&form.body).is_empty()), (415, false));
}

#[test]
fn rules_and_bodies_beyond_all_measure_are_refused() {
    let browser = open_lesson();
    let many = vec![rule("client", 1, "drop"); 65];
    let answer = post(&browser, OPEN, &json!({ "rules": many }).to_string());
    assert_eq!((answer.status, error(&answer.body)), (422, "64 rules at most.".to_owned()));
    let long = format!(r#"{{"rules":[{}]}}"#, " ".repeat(100_000));
    let answer = post(&browser, OPEN, &long);
    assert_eq!((answer.status, error(&answer.body).is_empty()), (413, false));
}

#[test]
fn no_rule_makes_a_run_without_end() {
    let browser = open_lesson();
    let delay = json!({ "from": "client", "number": 1, "action": "delay", "delay_ms": u64::MAX });
    let corrupt = json!({ "from": "client", "number": 1, "action": "corrupt", "bit": u64::MAX });
    let copies: Vec<Value> = (1..=3).map(|number| rule("client", number, "duplicate")).collect();
    for rules in [vec![delay], vec![corrupt], copies, vec![rule("client", 1, "reorder"); 64]] {
        let answer = post(&browser, OPEN, &json!({ "rules": rules }).to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
        let run = &answer.json()["run"];
        let events = run["events"].as_array().unwrap();
        assert!(events.len() <= tcpstack_lab::stage::EVENTS_MAX);
        // RFC 1122 §4.2.3.5: a connection attempt is given up after minutes, not hours.
        assert!(events.last().unwrap()["time_ns"].as_u64().unwrap() < 3600 * 1_000_000_000);
    }
}

#[test]
fn many_who_ask_at_once_get_the_same_run() {
    let browser = open_lesson();
    let alone = browser.get(OPEN).send().body;
    thread::scope(|scope| {
        let asked: Vec<_> = (0..16).map(|_| scope.spawn(|| browser.get(OPEN).send())).collect();
        assert_eq!(browser.get("/api/session").send().status, 200);
        for one in asked {
            assert_eq!(one.join().unwrap().body, alone);
        }
    });
}

#[test]
fn a_teachers_own_lesson_takes_the_place_of_that_with_its_number() {
    let toml = r#"
number = 1
id = "mine"
title = { en = "Mine", zh = "我的课" }
summary = { en = "S", zh = "要" }
[[scenario]]
id = "knock"
title = { en = "Knock", zh = "敲门" }
text = { en = "A SYN.", zh = "一个 SYN。" }
[[scenario.program]]
host = "client"
calls = [{ call = "socket" }, { call = "connect", address = "server:80" }]
"#;
    let own = LessonFile::parse("mine.toml", toml, &|_| Err("there is none".to_owned())).unwrap();
    let opened = Opened::Lesson { lesson: 1, scenario: None, own: Some(Box::new(own)) };
    let browser = browser::open(0, Session::new(opened, None)).unwrap();
    let lessons = browser.get("/api/lessons").send().json();
    assert_eq!(lessons.as_array().unwrap().len(), 12);
    assert_eq!((&lessons[0]["id"], &lessons[1]["id"]), (&json!("mine"), &json!("header")));
    for name in ["1", "mine"] {
        let run = browser.get(&format!("/api/runs/{name}/knock")).send();
        assert_eq!(run.status, 200, "{}", run.body);
    }
}
