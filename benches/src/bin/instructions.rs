//! Fixed scenarios whose instructions `scripts/instructions` counts under callgrind:
//! `bench-instructions SCENARIO`, or the list of them without. What is counted is [`counted`] alone;
//! what comes before it only warms up. The units that were done go to standard output as JSON.

use std::process::ExitCode;

use tcpstack_benches::hosts::{Bulk, Crowd, Segmentation};
use tcpstack_benches::{Pair, Setting};

const SETTING: Setting = Setting { mtu: 1500, buffer: 1 << 20 };

/// Text of a segment with timestamps, in bytes.
const SEGMENT: usize = 1448;

/// Moved before and while instructions are counted, in bytes.
const AMOUNT: usize = 4_000 * SEGMENT;

/// Connections that open and close at a time.
const CHURN: usize = 250;

/// Bytes that go to and fro.
const ROUND_TRIPS: usize = 2_000;

/// Connections that do nothing beside the one that does.
const IDLE: usize = 100_000;

/// A name, and what makes it ready.
type Scenario = (&'static str, fn() -> Work);

/// What is counted; it answers how much of which unit it was.
type Work = Box<dyn FnMut() -> Vec<(&'static str, usize)>>;

const SCENARIOS: [Scenario; 5] = [
    ("bulk-segments", || bulk(Segmentation::None)),
    ("bulk-super-segments", || bulk(Segmentation::Super)),
    ("open-speak-close", churn),
    ("ping-pong", || ping_pong(1)),
    ("ping-pong-beside-100000", || ping_pong(IDLE)),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1);
    let found = SCENARIOS.iter().find(|(name, _)| Some(*name) == wanted.as_deref());
    let Some((_, prepare)) = found else {
        for (name, _) in SCENARIOS {
            println!("{name}");
        }
        return if wanted.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    };
    let mut work = prepare();
    let units: Vec<String> =
        counted(&mut work).iter().map(|(unit, count)| format!("\"{unit}\":{count}")).collect();
    println!("{{{}}}", units.join(","));
    ExitCode::SUCCESS
}

/// Callgrind counts from where this is entered to where it is left (`--toggle-collect`).
#[inline(never)]
fn counted(work: &mut Work) -> Vec<(&'static str, usize)> {
    work()
}

fn bulk(segmentation: Segmentation) -> Work {
    let mut pair = Bulk::connect(SETTING, segmentation);
    // The windows open.
    pair.transfer(AMOUNT);
    Box::new(move || {
        pair.transfer(AMOUNT);
        match segmentation {
            Segmentation::None => vec![("segment", AMOUNT / SEGMENT), ("byte", AMOUNT)],
            Segmentation::Super | Segmentation::SuperWithChecksums => vec![("byte", AMOUNT)],
        }
    })
}

fn churn() -> Work {
    let mut crowd = Crowd::new(SETTING);
    // The tables grow.
    crowd.churn(CHURN);
    Box::new(move || {
        crowd.churn(CHURN);
        vec![("connection", CHURN)]
    })
}

fn ping_pong(connections: usize) -> Work {
    let mut crowd = Crowd::new(SETTING);
    crowd.open(connections);
    crowd.ping_pong(0, 10);
    Box::new(move || vec![("segment", crowd.ping_pong(0, ROUND_TRIPS))])
}
