//! Which events are one call of an application.

use std::collections::BTreeMap;

use tcpstack::event::{Event, Kind};

use super::{CallSpan, Host, Line};

/// The calls in `events`, in the order of their entry. One that was entered before the events begin is
/// left out: nobody knows what it was asked.
pub fn calls(hosts: &[Host], events: &[Event]) -> Vec<CallSpan> {
    let mut calls: Vec<CallSpan> = Vec::new();
    let mut by_number = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        let Some(host) = hosts.iter().position(|host| *host.name == *event.host) else { continue };
        let connection = event.connection.map(|name| name.id);
        match &event.kind {
            Kind::CallEntered { call, name, arguments, source } => {
                by_number.insert((host, *call), calls.len());
                let line = |source: &tcpstack::event::Source| Line {
                    file: source.file.to_string(),
                    line: source.line,
                };
                calls.push(CallSpan {
                    host,
                    connection,
                    name: name.clone(),
                    arguments: arguments.clone(),
                    entered: at,
                    blocked: None,
                    returned: None,
                    result: None,
                    lines: source.iter().map(line).collect(),
                });
            }
            Kind::CallBlocked { call, .. } => {
                if let Some(known) = by_number.get(&(host, *call)) {
                    calls[*known].blocked = calls[*known].blocked.or(Some(at));
                }
            }
            Kind::CallReturned { call, result, .. } => {
                if let Some(known) = by_number.remove(&(host, *call)) {
                    let call = &mut calls[known];
                    call.connection = call.connection.or(connection);
                    (call.returned, call.result) = (Some(at), Some(result.clone()));
                }
            }
            _ => {}
        }
    }
    calls
}
