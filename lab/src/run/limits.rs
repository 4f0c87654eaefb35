//! What kept each sender from sending more, and for how long.

use std::collections::BTreeMap;

use serde_json::Value;
use tcpstack::event::{Event, Limit};

use super::{Host, HostIndex, LimitSpan};

/// A limit that still holds.
struct Holding {
    limit: Limit,
    from_ns: u64,
    until_ns: u64,
}

/// The spans of every connection in `events`, in the order of their beginning: each as long as its
/// connection's events say the same. What lasts no time is left out.
pub fn limits(hosts: &[Host], events: &[Event]) -> Vec<LimitSpan> {
    let mut spans: Vec<LimitSpan> = Vec::new();
    let mut holding: BTreeMap<(HostIndex, u64), Holding> = BTreeMap::new();
    for event in events {
        let (Some(name), Some(after)) = (event.connection, &event.after) else { continue };
        let Some(host) = hosts.iter().position(|host| *host.name == *event.host) else { continue };
        let key = (host, name.id);
        let now_ns = event.time_ns;
        if let Some(held) = holding.get_mut(&key) {
            held.until_ns = now_ns;
            if Some(held.limit) == after.limit {
                continue;
            }
            if let Some(held) = holding.remove(&key) {
                end(&mut spans, key, &held);
            }
        }
        if let Some(limit) = after.limit {
            holding.insert(key, Holding { limit, from_ns: now_ns, until_ns: now_ns });
        }
    }
    for (key, held) in &holding {
        end(&mut spans, *key, held);
    }
    spans.sort_by_key(|span| (span.from_ns, span.host, span.connection));
    spans
}

/// Adds a span, or makes the one before it longer where it goes on without a gap.
fn end(spans: &mut Vec<LimitSpan>, (host, connection): (HostIndex, u64), held: &Holding) {
    let Holding { limit, from_ns, until_ns } = *held;
    if from_ns == until_ns {
        return;
    }
    let limit = name(limit);
    let mut of_connection =
        spans.iter_mut().rev().filter(|span| (span.host, span.connection) == (host, connection));
    match of_connection.next() {
        Some(last) if last.until_ns == from_ns && last.limit == limit => last.until_ns = until_ns,
        _ => spans.push(LimitSpan { host, connection, from_ns, until_ns, limit }),
    }
}

/// Its name in events.
fn name(limit: Limit) -> String {
    match serde_json::to_value(limit) {
        Ok(Value::String(name)) => name,
        // A limit without data is a word.
        _ => String::new(),
    }
}
