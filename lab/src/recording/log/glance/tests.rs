//! A glance tells what parsing tells, whatever the texts in a line pretend.

use tcpstack::event::{ConnectionName, Event, Kind, Snapshot, TimerName};

use super::{Glancer, slow};

fn event(kind: Kind, after: Option<Snapshot>) -> Event {
    Event {
        index: 3,
        time_ns: 18_446_744_073_709_551_615,
        host: "10.7.0.2".into(),
        connection: Some(ConnectionName {
            id: 7,
            local: "10.7.0.2:5000".parse().unwrap(),
            remote: None,
        }),
        kind,
        cause: Some(1),
        reason: None,
        after: after.map(Box::new),
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        iss: 1 << 33,
        snd_una: (1 << 33) + 5,
        snd_nxt: (1 << 33) + 105,
        snd_wnd: 1000,
        cwnd: 14_600,
        in_flight: 100,
        ..Snapshot::default()
    }
}

fn assert_told(event: &Event) {
    let line = serde_json::to_vec(event).unwrap();
    let glancer = Glancer::new();
    let quick = glancer.quick(&line).expect("the writer's own layout is known");
    assert_eq!(quick, slow(event), "{}", String::from_utf8_lossy(&line));
}

#[test]
fn a_glance_tells_what_parsing_tells() {
    let mut losing = snapshot();
    losing.recovery.lost = vec![(1, 2)];
    assert_told(&event(Kind::Updated, Some(losing)));
    assert_told(&event(Kind::Updated, Some(snapshot())));
    assert_told(&event(Kind::Updated, None));
    assert_told(&event(Kind::TimerFired { timer: TimerName::Retransmission }, Some(snapshot())));
    assert_told(&event(Kind::TimerFired { timer: TimerName::Persist }, None));
    assert_told(&event(Kind::PacketDropped { counter: "bad".into(), len: 40 }, None));
    let nobody = Event { connection: None, ..event(Kind::Updated, None) };
    assert_told(&nobody);
}

#[test]
fn a_text_that_looks_like_a_field_is_not_taken_for_one() {
    let evil = r#"","after":{"iss":9,"kind":{"type":"packet_dropped","connection":{"id":9"#;
    let kind = |text: &str| Kind::CallEntered {
        call: 1,
        name: "send".into(),
        arguments: text.to_owned(),
        source: None,
    };
    assert_told(&event(kind(evil), Some(snapshot())));
    let host = Event { host: evil.into(), ..event(kind(evil), None) };
    assert_told(&host);
}

#[test]
fn a_line_that_is_laid_out_otherwise_is_understood_and_garbage_is_not() {
    let event = event(Kind::PacketDropped { counter: "bad".into(), len: 40 }, Some(snapshot()));
    let spaced = serde_json::to_string_pretty(&event).unwrap().replace('\n', " ");
    let glancer = Glancer::new();
    assert_eq!(glancer.quick(spaced.as_bytes()), None);
    assert_eq!(glancer.glance(spaced.as_bytes()).unwrap(), slow(&event));
    for garbage in
        ["", "{", "garbage", "{\"index\":1}", "{\"index\":99999999999999999999,\"time_ns\":0}"]
    {
        assert!(glancer.glance(garbage.as_bytes()).is_err(), "{garbage}");
    }
}
