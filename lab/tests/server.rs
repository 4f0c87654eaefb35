//! The server as a browser meets it: over HTTP on loopback.

mod browser;

use std::sync::RwLock;

use browser::{Browser, error, open_lesson};
use tcpstack_lab::recording::log::Log;
use tcpstack_lab::server::{Opened, Session};

#[test]
fn the_page_comes_with_a_policy_that_lets_nothing_else_in() {
    let browser = open_lesson();
    let answer = browser.get("/").send();
    assert_eq!(answer.status, 200);
    assert!(answer.body.starts_with("<!doctype html>"));
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[test]
fn nobody_gets_in_without_the_token() {
    let browser = open_lesson();
    let other = "0".repeat(browser.token.len());
    for query in ["", "?token=", &format!("?token={other}"), &format!("?token={}0", browser.token)]
    {
        for path in ["/", "/api/session", "/api/lessons", "/nowhere"] {
            let answer = browser.bare("GET", &format!("{path}{query}")).send();
            assert_eq!(answer.status, 403, "{path}{query}");
            assert!(error(&answer.body).contains("token"));
            assert!(!answer.body.contains(&browser.token));
        }
    }
    let twice = format!("/api/session?token={0}&token={0}", browser.token);
    assert_eq!(browser.bare("GET", &twice).send().status, 403);
}

#[test]
fn a_request_that_names_another_host_is_refused() {
    let browser = open_lesson();
    let port = browser.port;
    for host in ["evil.example", "127.0.0.1", &format!("evil.example:{port}"), "127.0.0.1:1", ""] {
        let answer = browser.get("/api/session").host(host).send();
        assert_eq!(answer.status, 403, "{host}");
        assert!(error(&answer.body).contains(&port.to_string()));
    }
    let absolute = format!("http://evil.example/api/session?token={}", browser.token);
    assert_eq!(browser.bare("GET", &absolute).send().status, 403);
    assert_eq!(browser.get("/api/session").host(&format!("localhost:{port}")).send().status, 200);
}

#[test]
fn a_request_from_another_site_is_refused() {
    let browser = open_lesson();
    let own = format!("http://127.0.0.1:{}", browser.port);
    let sites = ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1"];
    for origin in sites {
        let answer = browser.get("/api/session").header("Origin", origin).send();
        assert_eq!(answer.status, 403, "{origin}");
        assert!(error(&answer.body).contains("site"));
    }
    assert_eq!(browser.get("/api/session").header("Origin", &own).send().status, 200);
    // Two are one too many, whatever they say.
    let two = browser.get("/api/session").header("Origin", &own).header("Origin", &own);
    assert_eq!(two.send().status, 403);
}

#[test]
fn the_session_says_what_was_asked_for() {
    let session = open_lesson().get("/api/session").send().json();
    assert_eq!(session["open"]["type"], "lesson");
    assert_eq!(session["open"]["lesson"], 1);
    assert_eq!(session["language"], "zh");
}

#[test]
fn what_is_not_there_is_told_in_both_languages() {
    let browser = open_lesson();
    let answer = browser.get("/api/nothing").send();
    assert_eq!((answer.status, error(&answer.body).is_empty()), (404, false));
    let answer = browser.request("DELETE", "/api/session").send();
    assert_eq!((answer.status, error(&answer.body).is_empty()), (405, false));
}

#[test]
fn a_port_that_is_taken_is_told_with_what_to_do() {
    let browser = open_lesson();
    let Err(error) = browser::serve(browser.port) else { panic!("two servers on one port") };
    let error = error.to_string();
    assert!(error.contains(&browser.port.to_string()) && error.contains("--port 0"), "{error}");
}

#[test]
fn a_long_answer_is_compressed_for_those_who_take_it() {
    let browser: Browser = open_lesson();
    let answer = browser.get("/").header("Accept-Encoding", "gzip").head();
    assert_eq!(answer.header("content-encoding"), "gzip");
}

#[test]
fn a_recording_is_served_by_windows_and_in_an_overview() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let line = |index: u64| {
        format!(
            "{{\"index\":{index},\"time_ns\":{index},\"host\":\"a\",\"kind\":{{\"type\":\"updated\"}}}}\n"
        )
    };
    let header = "{\"format\":\"tcpstack-events\",\"version\":1,\"host\":\"a\",\"url\":\"unix:\",\"unix_epoch_ns\":0}\n";
    std::fs::write(&path, header.to_owned() + &(0..5_000).map(line).collect::<String>()).unwrap();
    let log = Log::open(&[path]).unwrap();
    let browser = browser::open(0, Session::new(Opened::Log(RwLock::new(log)), None)).unwrap();
    let open = &browser.get("/api/session").send().json()["open"];
    assert_eq!((&open["type"], &open["events"]), (&"log".into(), &5_000.into()));
    assert_eq!(open["until_ns"], 4_999);
    let window = browser.get("/api/log/window?first=4990&count=3").send().json();
    assert_eq!(window["events"].as_array().unwrap().len(), 3);
    assert_eq!(window["events"][0]["index"], 4_990);
    assert_eq!(
        (&window["window"]["first"], &window["window"]["total"]),
        (&4_990.into(), &5_000.into())
    );
    let overview =
        browser.get("/api/log/overview?from_ns=1000&until_ns=1999&pixels=10").send().json();
    assert_eq!(overview["first"][9], 1_900);
    let answer = browser.get("/api/log/window?first=many").send();
    assert_eq!(answer.status, 400);
    assert!(error(&answer.body).contains("first"), "{}", answer.body);
}

#[test]
fn a_lesson_has_no_recording() {
    let answer = open_lesson().get("/api/log/window").send();
    assert_eq!((answer.status, error(&answer.body).is_empty()), (404, false));
}
