//! Which event each landmark of a scenario is.

use std::collections::BTreeMap;

use serde_json::Value;
use tcpstack::event::{Event, Kind, SegmentRecord};

use crate::lesson::{EventPattern, LandmarkPlan};
use crate::run::{Landmark, Position};

/// The landmarks that are found, in the order of the scenario.
pub(super) fn landmarks(plans: &[LandmarkPlan], events: &[Event]) -> Vec<Landmark> {
    let mut found: BTreeMap<&str, Position> = BTreeMap::new();
    let mut landmarks = Vec::new();
    for plan in plans {
        let first = match plan.event.after.as_deref().map(|after| found.get(after)) {
            None => 0,
            Some(Some(after)) => after + 1,
            Some(None) => continue,
        };
        let alike = (first..events.len()).filter(|at| is_match(&plan.event, &events[*at]));
        let nth = usize::try_from(plan.event.nth).unwrap_or(usize::MAX);
        let Some(at) = alike.take(nth).enumerate().find(|(count, _)| count + 1 == nth) else {
            continue;
        };
        found.insert(&plan.id, at.1);
        let (id, title, text) = (plan.id.clone(), plan.title.clone(), plan.text.clone());
        landmarks.push(Landmark { id, at: at.1, title, text });
    }
    landmarks
}

/// Whether everything that the pattern says holds.
fn is_match(pattern: &EventPattern, event: &Event) -> bool {
    *event.host == *pattern.host
        && kind_name(&event.kind) == pattern.kind
        && pattern.reason.is_none_or(|reason| event.reason == Some(reason))
        && is_segment_match(pattern, &event.kind)
        && is_call_match(pattern, &event.kind)
        && is_rest_match(pattern, &event.kind)
}

fn is_segment_match(pattern: &EventPattern, kind: &Kind) -> bool {
    let EventPattern { flags, retransmission, len, window, .. } = pattern;
    let says = |record: &SegmentRecord| {
        flags.as_ref().is_none_or(|flags| record.flags == *flags)
            && retransmission.is_none_or(|again| record.retransmission == again)
            && len.is_none_or(|len| record.len as u64 == len)
            && window.is_none_or(|window| record.window_bytes == window)
    };
    match kind {
        Kind::SegmentSent(record) | Kind::SegmentReceived(record) => says(record),
        _ => flags.is_none() && retransmission.is_none() && len.is_none() && window.is_none(),
    }
}

fn is_call_match(pattern: &EventPattern, kind: &Kind) -> bool {
    let EventPattern { call, result, .. } = pattern;
    let is_named = |name: &String| call.as_ref().is_none_or(|call| call == name);
    match kind {
        Kind::CallReturned { name, result: returned, .. } => {
            is_named(name) && result.as_ref().is_none_or(|result| result == returned)
        }
        Kind::CallEntered { name, .. } | Kind::CallBlocked { name, .. } => {
            is_named(name) && result.is_none()
        }
        _ => call.is_none() && result.is_none(),
    }
}

fn is_rest_match(pattern: &EventPattern, kind: &Kind) -> bool {
    let EventPattern { state, timer, counter, phase, .. } = pattern;
    let state_is = match kind {
        Kind::StateChanged { to, .. } => state.is_none_or(|state| state == *to),
        _ => state.is_none(),
    };
    let timer_is = match kind {
        Kind::TimerArmed { timer: which, .. }
        | Kind::TimerStopped { timer: which }
        | Kind::TimerFired { timer: which } => timer.is_none_or(|timer| timer == *which),
        _ => timer.is_none(),
    };
    let counter_is = match kind {
        Kind::PacketDropped { counter: which, .. } => {
            counter.as_ref().is_none_or(|counter| counter == which)
        }
        _ => counter.is_none(),
    };
    let phase_is = match kind {
        Kind::CongestionChanged { phase: which } => {
            phase.as_ref().is_none_or(|phase| phase == which)
        }
        _ => phase.is_none(),
    };
    state_is && timer_is && counter_is && phase_is
}

/// The `type` of an event in JSON.
pub(crate) fn kind_name(kind: &Kind) -> String {
    match serde_json::to_value(kind) {
        Ok(Value::Object(members)) => match members.get("type") {
            Some(Value::String(name)) => name.clone(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}
