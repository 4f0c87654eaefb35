//! Leaves out what a learner would not miss: timers that come and go with every segment, and the
//! bulk of a transfer, told in one line instead.
//!
//! What opens, ends or breaks a connection always stays, and so do the first losses, their
//! repetitions and the duplicate ACKs that led to them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use tcpstack::event::TimerName;

use super::{Arrow, ArrowId, Bulk, BulkFlow, Call, Fate, LaneId, Moment, Story, What, is_failure};

/// A stretch with more segments of one kind (data or ACKs alone, one way) than this is summarised.
const LONGEST_STRETCH: usize = 4;
/// How many of each kind are still drawn.
const SHOWN_OF_STRETCH: usize = 2;
/// How many losses and repetitions are drawn one by one before they too are only counted.
const SHOWN_TROUBLES: usize = 6;
/// Duplicate ACKs that stay before a repetition: what fast retransmit waits for.
const DUPLICATE_ACKS: usize = 3;

/// `story` without what repeats itself; with `all`, every segment stays.
pub fn condense(mut story: Story, all: bool) -> Story {
    story.moments.retain(is_telling);
    if all {
        return story;
    }
    let special = special_arrows(&story);
    let mut gone = vec![false; story.moments.len()];
    let mut lines: Vec<(usize, Bulk)> = Vec::new();
    for stretch in stretches(&story, &special) {
        let hidden = hidden_arrows(&story, &special, stretch);
        lines.extend(hide(&story, &hidden, &mut gone));
    }
    let mut lines = lines.into_iter().peekable();
    let mut moments = Vec::new();
    for (at, moment) in story.moments.into_iter().enumerate() {
        while let Some((_, bulk)) = lines.next_if(|(line_at, _)| *line_at <= at) {
            moments.push(Moment { what: What::Bulk(bulk), reason: None, ..moment.clone() });
        }
        if !gone[at] {
            moments.push(moment);
        }
    }
    Story { moments: condense_calls(moments), ..story }
}

/// Tells a run of like calls, with nothing between them, in one line after the first ones.
fn condense_calls(moments: Vec<Moment>) -> Vec<Moment> {
    let alike = |one: &Moment, other: &Moment| match (&one.what, &other.what) {
        (What::Call(call), What::Call(next)) => {
            let routine = is_routine(call) && is_routine(next) && !call.blocked && !next.blocked;
            routine && one.lane == other.lane && call.name == next.name
        }
        _ => false,
    };
    let mut condensed = Vec::with_capacity(moments.len());
    for run in moments.chunk_by(alike) {
        let shown = if run.len() > LONGEST_STRETCH { SHOWN_OF_STRETCH } else { run.len() };
        let (shown, rest) = run.split_at(shown);
        condensed.extend_from_slice(shown);
        if let Some(first) = rest.first() {
            let moved = |moment: &Moment| match &moment.what {
                What::Call(call) => call.result.as_ref()?.parse::<u64>().ok(),
                _ => None,
            };
            let What::Call(Call { name, .. }) = &first.what else { continue };
            let bytes = rest.iter().filter_map(moved).sum();
            let what = What::CallRun { name: name.clone(), count: rest.len() as u64, bytes };
            condensed.push(Moment { what, ..first.clone() });
        }
    }
    condensed
}

/// Whether a moment explains something that is not visible from the segments around it.
fn is_telling(moment: &Moment) -> bool {
    match &moment.what {
        What::TimerArmed { timer, .. } => {
            matches!(timer, TimerName::TimeWait | TimerName::FinWait2)
        }
        What::TimerFired { timer, .. } => {
            !matches!(timer, TimerName::DelayedAck | TimerName::SwsOverride)
        }
        What::Congestion { phase, .. } => phase == "recovery" || phase == "loss",
        _ => true,
    }
}

/// The arrow that `moment` is the first sight of.
fn first_sight(moment: &Moment, arrows: &[Arrow]) -> Option<ArrowId> {
    match moment.what {
        What::Sent(id) => Some(id),
        What::Arrived(id) => {
            matches!(arrows[id].fate, Fate::ReceivedUnwitnessed | Fate::Duplicate).then_some(id)
        }
        _ => None,
    }
}

/// The segments that stay whatever happens around them.
fn special_arrows(story: &Story) -> BTreeSet<ArrowId> {
    let mut special = BTreeSet::new();
    let mut troubles = 0;
    for (at, moment) in story.moments.iter().enumerate() {
        let Some(id) = first_sight(moment, &story.arrows) else { continue };
        let arrow = &story.arrows[id];
        let trouble = arrow.lost() > 0 || arrow.segment.retransmission;
        troubles += usize::from(trouble);
        if arrow.is_milestone() || (trouble && troubles <= SHOWN_TROUBLES) {
            special.insert(id);
        }
        if arrow.segment.retransmission && troubles <= SHOWN_TROUBLES {
            special.extend(duplicate_acks_before(&story.moments[..at], arrow, &story.arrows));
        }
    }
    special
}

/// The last ACKs that asked for `repetition` before it was sent.
fn duplicate_acks_before<'a>(
    before: &'a [Moment],
    repetition: &'a Arrow,
    arrows: &'a [Arrow],
) -> impl Iterator<Item = ArrowId> + 'a {
    let asks = |moment: &Moment| match moment.what {
        What::Arrived(id) => Some(id).filter(|id| {
            let ack = &arrows[*id];
            let to_sender = (ack.from, ack.to) == (repetition.to, repetition.from);
            to_sender && ack.segment.len == 0 && ack.segment.ack == repetition.segment.seq
        }),
        _ => None,
    };
    before.iter().rev().filter_map(asks).take(DUPLICATE_ACKS)
}

/// The stretches between the moments that divide a story: where special segments first show, and
/// where states change.
fn stretches(story: &Story, special: &BTreeSet<ArrowId>) -> Vec<Range<usize>> {
    let divides = |moment: &Moment| match moment.what {
        What::State { .. } => true,
        _ => first_sight(moment, &story.arrows).is_some_and(|id| {
            // Duplicate ACKs come by the dozen; they stay, but divide nothing.
            special.contains(&id) && !is_pure_ack(&story.arrows[id])
        }),
    };
    let mut stretches = Vec::new();
    let mut start = 0;
    for (at, moment) in story.moments.iter().enumerate() {
        if divides(moment) {
            stretches.push(start..at);
            start = at + 1;
        }
    }
    stretches.push(start..story.moments.len());
    stretches
}

fn is_pure_ack(arrow: &Arrow) -> bool {
    arrow.segment.len == 0 && !arrow.is_milestone()
}

/// The segments first seen in `stretch` that a line can stand for.
fn hidden_arrows(
    story: &Story,
    special: &BTreeSet<ArrowId>,
    stretch: Range<usize>,
) -> BTreeSet<ArrowId> {
    let seen = stretch.filter_map(|at| {
        let id = first_sight(&story.moments[at], &story.arrows)?;
        Some((at, id)).filter(|(_, id)| !special.contains(id))
    });
    let mut kinds: BTreeMap<(bool, LaneId), Vec<(usize, ArrowId)>> = BTreeMap::new();
    for (at, id) in seen {
        let arrow = &story.arrows[id];
        kinds.entry((is_pure_ack(arrow), arrow.from)).or_default().push((at, id));
    }
    let mut hidden = BTreeSet::new();
    // Data first: once it is summarised, no ACK for it stands alone.
    let mut summary_at = usize::MAX;
    for kind in kinds.into_values().filter(|kind| kind.len() > LONGEST_STRETCH) {
        let shown = kind.iter().take_while(|(at, _)| *at < summary_at).count();
        let rest = &kind[shown.min(SHOWN_OF_STRETCH)..];
        summary_at = rest.first().map_or(summary_at, |(at, _)| summary_at.min(*at));
        hidden.extend(rest.iter().map(|(_, id)| *id));
    }
    hidden
}

/// Marks the moments of `hidden` and of the calls around them as gone. The line that tells of them
/// stands where the first of them arrived: what was sent before has arrived by then.
fn hide(story: &Story, hidden: &BTreeSet<ArrowId>, gone: &mut [bool]) -> Option<(usize, Bulk)> {
    let is_hidden = |moment: &Moment| match moment.what {
        What::Sent(id) | What::Arrived(id) => hidden.contains(&id),
        _ => false,
    };
    let moments = &story.moments;
    let first = moments.iter().position(is_hidden)?;
    let last = moments.iter().rposition(is_hidden)?;
    let is_arrival = |moment: &Moment| matches!(moment.what, What::Arrived(_)) && is_hidden(moment);
    let line_at = moments.iter().position(is_arrival).unwrap_or(first);
    let first = with_its_call(moments, first);
    let calls = whole_calls(&moments[first..=last]);
    let mut bulk = Bulk { from_ns: moments[first].time_ns, ..Bulk::default() };
    for at in first..=last {
        let moment = &moments[at];
        gone[at] |= match &moment.what {
            What::Sent(_) | What::Arrived(_) => is_hidden(moment),
            What::Call(call) => calls.contains(&(moment.lane, call.call)),
            What::CallEnded { call, .. } => calls.contains(&(moment.lane, *call)),
            _ => false,
        };
        bulk.calls += usize::from(gone[at] && matches!(moment.what, What::Call(_)));
        if is_hidden(moment) {
            bulk.until_ns = moment.time_ns;
        }
        let seen = first_sight(moment, &story.arrows).filter(|id| hidden.contains(id));
        let arrow = seen.map(|id| &story.arrows[id]);
        if let Some(arrow) = arrow.filter(|arrow| arrow.fate != Fate::Duplicate) {
            count(&mut bulk, arrow);
        }
    }
    Some((line_at, bulk))
}

/// The call that sent the segment at `at` goes with it.
fn with_its_call(moments: &[Moment], mut at: usize) -> usize {
    while at > 0 && matches!(&moments[at - 1].what, What::Call(call) if is_routine(call)) {
        at -= 1;
    }
    at
}

/// Whether a call moved data, or asked in vain for some.
fn is_routine(call: &Call) -> bool {
    let moves_data = ["send", "recv", "read", "write"];
    moves_data.iter().any(|prefix| call.name.starts_with(prefix))
        && call.result.as_deref().is_none_or(is_routine_result)
}

/// No error, not the end of the stream.
fn is_routine_result(result: &str) -> bool {
    result.ends_with("EAGAIN") || (!is_failure(result) && result != "0")
}

/// The routine calls of which `moments` has both ends.
fn whole_calls(moments: &[Moment]) -> BTreeSet<(LaneId, u64)> {
    let ended = moments.iter().filter_map(|moment| match &moment.what {
        What::CallEnded { call, result, .. } if is_routine_result(result) => {
            Some((moment.lane, *call))
        }
        _ => None,
    });
    let ended: BTreeSet<(LaneId, u64)> = ended.collect();
    let whole = moments.iter().filter_map(|moment| match &moment.what {
        What::Call(call) if is_routine(call) => {
            let number = (moment.lane, call.call);
            (!call.blocked || ended.contains(&number)).then_some(number)
        }
        _ => None,
    });
    whole.collect()
}

/// Adds `arrow` to what its direction carried.
fn count(bulk: &mut Bulk, arrow: &Arrow) {
    let is_its = |flow: &BulkFlow| (flow.from, flow.to) == (arrow.from, arrow.to);
    let at = bulk.flows.iter().position(is_its).unwrap_or_else(|| {
        bulk.flows.push(BulkFlow::between(arrow.from, arrow.to));
        bulk.flows.len() - 1
    });
    let flow = &mut bulk.flows[at];
    let segments = arrow.segments();
    flow.retransmissions += u64::from(arrow.segment.retransmission) * segments;
    flow.lost += arrow.lost();
    if arrow.segment.len == 0 {
        flow.acks += 1;
        return;
    }
    flow.segments += segments;
    flow.bytes += arrow.segment.len as u64;
    if let Some(seq) = arrow.relative_seq {
        let end = seq + arrow.segment.len as u64;
        let (first, last) = flow.range.unwrap_or((seq, end));
        flow.range = Some((first.min(seq), last.max(end)));
    }
}
