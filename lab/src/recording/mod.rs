//! Event files of hosts into a run: their clocks on one axis, their events in one order, and which
//! arrival belongs to which sending. It refuses nothing: what one file lacks stays unknown.

mod axis;
mod flights;
pub mod follow;
mod join;
#[cfg(feature = "server")]
pub mod log;
pub mod matching;
mod order;

use tcpstack::event::json::Recording;

use crate::run::{FORMAT, Flight, Host, Origin, Position, Run, Text, VERSION};
use crate::run::{derive, find_conversations, hosts_of, number_relatively};

pub use axis::Axis;

/// A recording and the name of its file.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's name, for messages.
    pub name: String,
    /// What it holds.
    pub recording: Recording,
}

/// What the hosts of `sources` recorded, as one run. Its time begins with its first event. `live`
/// says that more may come: what has not arrived then may still be on its way.
pub fn run(sources: &[Source], live: bool) -> Run {
    let beginning =
        |source: &Source| source.recording.events.iter().map(|event| event.time_ns).min();
    let beginnings: Vec<_> =
        sources.iter().map(|source| (&source.recording.header, beginning(source))).collect();
    run_on(sources, live, &Axis::new(&beginnings), &[])
}

/// As [`run`], on an axis and with hosts that are known already: parts of long files share the axis of
/// the whole, and a part may have no event that tells a host's address.
pub fn run_on(sources: &[Source], live: bool, axis: &Axis, known: &[Host]) -> Run {
    let streams = join::streams(sources, axis);
    let sides: Vec<usize> = streams.iter().map(|stream| stream.events.len()).collect();
    let recorded = streams.iter().map(|stream| stream.host(known)).collect();
    let mut events: Vec<_> = streams.into_iter().flat_map(|stream| stream.events).collect();
    let conversations = find_conversations(&events);
    let hosts = hosts_of(&events, &conversations, recorded);
    let mut flights = flights::flights(&hosts, &events, &conversations, live);
    let order = order::causal_order(&events, &sides, &flights);
    renumber(&mut flights, &order);
    let mut in_order: Vec<_> = events.into_iter().map(Some).collect();
    events = order.iter().filter_map(|at| in_order[*at].take()).collect();
    number_relatively(&mut events, &conversations);
    let files: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    let names = files.join(", ");
    let mut run = Run {
        format: FORMAT.to_owned(),
        version: VERSION,
        origin: Origin::Recorded { files, live },
        title: Text { en: format!("Recorded: {names}"), zh: format!("记录：{names}") },
        hosts,
        events,
        flights,
        calls: Vec::new(),
        limits: Vec::new(),
        landmarks: Vec::new(),
        questions: Vec::new(),
        listings: Vec::new(),
        window: None,
    };
    derive(&mut run);
    run
}

/// Makes the flights point at where the events have gone: `order[new]` is the old position.
fn renumber(flights: &mut [Flight], order: &[Position]) {
    let mut new = vec![0; order.len()];
    for (at, old) in order.iter().enumerate() {
        new[*old] = at;
    }
    for flight in flights {
        flight.sent = flight.sent.map(|old| new[old]);
        flight.received = flight.received.map(|old| new[old]);
    }
}
