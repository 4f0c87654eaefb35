//! Which arrival belongs to which sending: by sequence number, acknowledgment, flags and length,
//! and by order where several are alike. What is left over was lost, or duplicated on the way.

use std::collections::BTreeMap;

use tcpstack::event::SegmentRecord;

/// One end's sight of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sighting<'a> {
    /// When, on the common axis.
    pub(crate) time_ns: u64,
    /// What it saw.
    pub(crate) segment: &'a SegmentRecord,
}

/// What matching says of the two lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matching {
    /// For each sending the arrival that completed it; none: it never arrived.
    pub(crate) delivered_by: Vec<Option<usize>>,
    /// For each sending that arrived the bytes of it that did not.
    pub(crate) missing: Vec<usize>,
    /// For each arrival where it came from.
    pub(crate) origins: Vec<Origin>,
}

/// Where an arrival came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is a sending, or a piece of one, or several in one.
    Sent,
    /// It had arrived before.
    Duplicate,
    /// Nobody saw it leave.
    Unknown,
}

/// Matches the arrivals of one direction with its sendings, both in order of time.
pub(crate) fn match_arrivals(sent: &[Sighting<'_>], arrived: &[Sighting<'_>]) -> Matching {
    let groups = alike(sent, arrived);
    let mut matcher = Matcher {
        sent,
        arrived,
        typical_ns: typical_flight(sent, arrived, &groups),
        matching: Matching {
            delivered_by: vec![None; sent.len()],
            missing: vec![0; sent.len()],
            origins: vec![Origin::Unknown; arrived.len()],
        },
    };
    for (sendings, arrivals) in groups.values() {
        matcher.pair_in_order(sendings, arrivals);
    }
    matcher.match_pieces();
    // What looks like something that was sent, and is neither it nor a piece, came twice.
    for arrival in groups.into_values().flat_map(|(_, arrivals)| arrivals) {
        if matcher.matching.origins[arrival] == Origin::Unknown {
            matcher.matching.origins[arrival] = Origin::Duplicate;
        }
    }
    matcher.matching
}

/// Indices of sendings and arrivals that look the same.
type Groups<'a> = BTreeMap<(u32, u32, &'a str, usize), (Vec<usize>, Vec<usize>)>;

fn alike<'a>(sent: &[Sighting<'a>], arrived: &[Sighting<'a>]) -> Groups<'a> {
    fn key<'a>(seen: &Sighting<'a>) -> (u32, u32, &'a str, usize) {
        (seen.segment.seq, seen.segment.ack, &seen.segment.flags, seen.segment.len)
    }
    let mut groups = Groups::new();
    for (at, seen) in sent.iter().enumerate() {
        groups.entry(key(seen)).or_default().0.push(at);
    }
    for (at, seen) in arrived.iter().enumerate() {
        // An arrival like nothing that was sent may be a piece of something.
        if let Some(group) = groups.get_mut(&key(seen)) {
            group.1.push(at);
        }
    }
    groups
}

fn flight(sent: Sighting<'_>, arrived: Sighting<'_>) -> i128 {
    i128::from(arrived.time_ns) - i128::from(sent.time_ns)
}

/// The median flight of the segments about which there is no doubt.
fn typical_flight(sent: &[Sighting<'_>], arrived: &[Sighting<'_>], groups: &Groups<'_>) -> i128 {
    let mut flights: Vec<i128> = groups
        .values()
        .filter(|(sendings, arrivals)| sendings.len() == 1 && arrivals.len() == 1)
        .map(|(sendings, arrivals)| flight(sent[sendings[0]], arrived[arrivals[0]]))
        .collect();
    flights.sort_unstable();
    flights.get(flights.len() / 2).copied().unwrap_or(0)
}

/// How many sendings back a piece is looked for.
const LOOK_BACK: usize = 4096;

struct Matcher<'a> {
    sent: &'a [Sighting<'a>],
    arrived: &'a [Sighting<'a>],
    typical_ns: i128,
    matching: Matching,
}

impl Matcher<'_> {
    /// How unlike the others a flight from this sending to this arrival is; none: impossible.
    fn oddness(&self, sending: usize, arrival: usize) -> Option<i128> {
        let flight = flight(self.sent[sending], self.arrived[arrival]);
        // Clocks that disagree make every flight negative alike.
        let least = (2 * self.typical_ns).min(0);
        (flight >= least).then(|| (flight - self.typical_ns).abs())
    }

    /// Pairs arrivals with sendings that look the same, without changing the order of either, each
    /// with the least odd one that leaves some for the later arrivals.
    fn pair_in_order(&mut self, sendings: &[usize], arrivals: &[usize]) {
        let mut next = 0;
        for (position, arrival) in arrivals.iter().enumerate() {
            let later = arrivals.len() - position - 1;
            let last = sendings.len().saturating_sub(later).max(next + 1).min(sendings.len());
            let odd = |at: usize| Some((self.oddness(sendings[at], *arrival)?, at));
            let Some((_, best)) = (next..last).filter_map(odd).min() else { continue };
            next = best + 1;
            self.matching.origins[*arrival] = Origin::Sent;
            self.matching.delivered_by[sendings[best]] = Some(*arrival);
        }
    }

    /// Super-segments that were split or merged on the way: matched by their bytes.
    fn match_pieces(&mut self) {
        let whole: Vec<bool> = self.matching.delivered_by.iter().map(Option::is_some).collect();
        let mut pieces: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for arrival in 0..self.arrived.len() {
            let segment = self.arrived[arrival].segment;
            if self.matching.origins[arrival] != Origin::Unknown || segment.len == 0 {
                continue;
            }
            for sending in self.sources_of(arrival, &whole, &pieces) {
                let its = pieces.entry(sending).or_default();
                its.push(part(self.sent[sending].segment, segment));
                // The last piece completes it.
                self.matching.delivered_by[sending] = Some(arrival);
                self.matching.origins[arrival] = Origin::Sent;
                self.matching.missing[sending] = self.sent[sending].segment.len - covered(its);
            }
        }
    }

    /// The sendings that an arrival has bytes of: one that holds all of them and lacks some, the
    /// least odd of several; or the many that were merged into it.
    fn sources_of(
        &self,
        arrival: usize,
        whole: &[bool],
        pieces: &BTreeMap<usize, Vec<(usize, usize)>>,
    ) -> Vec<usize> {
        let Sighting { time_ns, segment } = self.arrived[arrival];
        let before = self.sent.partition_point(|sending| sending.time_ns <= time_ns);
        let near = before.saturating_sub(LOOK_BACK)..before;
        let sharing = near.filter(|at| !whole[*at] && overlap(self.sent[*at].segment, segment));
        let sharing: Vec<usize> = sharing.collect();
        let holds = |at: &usize| {
            let (start, end) = part(self.sent[*at].segment, segment);
            end - start == segment.len
        };
        let holding: Vec<usize> = sharing.iter().copied().filter(holds).collect();
        if holding.is_empty() {
            return sharing;
        }
        let lacks = |at: &usize| {
            let mut with = pieces.get(at).cloned().unwrap_or_default();
            let had = covered(&with);
            with.push(part(self.sent[*at].segment, segment));
            covered(&with) > had
        };
        let lacking = holding.into_iter().filter(lacks);
        lacking.min_by_key(|at| self.oddness(*at, arrival)).into_iter().collect()
    }
}

/// The part `[start, end)` of `whole`'s bytes that `piece` has.
fn part(whole: &SegmentRecord, piece: &SegmentRecord) -> (usize, usize) {
    let ahead = piece.seq.wrapping_sub(whole.seq) as usize;
    if ahead < whole.len {
        return (ahead, whole.len.min(ahead + piece.len));
    }
    let behind = whole.seq.wrapping_sub(piece.seq) as usize;
    (0, whole.len.min(piece.len.saturating_sub(behind)))
}

/// How many bytes `parts` have together.
fn covered(parts: &[(usize, usize)]) -> usize {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    let mut reached = 0;
    parts.into_iter().fold(0, |bytes, (start, end)| {
        let new = end.saturating_sub(start.max(reached));
        reached = reached.max(end);
        bytes + new
    })
}

/// Whether two segments of one direction share a byte.
fn overlap(one: &SegmentRecord, other: &SegmentRecord) -> bool {
    let ahead = other.seq.wrapping_sub(one.seq) as usize;
    let behind = one.seq.wrapping_sub(other.seq) as usize;
    ahead < one.len || behind < other.len
}

#[cfg(test)]
mod tests;
