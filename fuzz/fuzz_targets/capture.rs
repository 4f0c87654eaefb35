//! Whatever a capture file holds: reading it ends, nothing panics, and what comes of it can be told.
//! `cargo +nightly fuzz run capture` in `fuzz/`, given copies of `lab/tests/captures` to begin with.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tcpstack_lab::capture;
use tcpstack_lab::story::{condense, find_conversations, summarise, tell_all};

fuzz_target!(|bytes: &[u8]| {
    let Ok(run) = capture::run("bytes", bytes) else { return };
    assert!(run.events.len() <= bytes.len() / 16);
    assert_eq!(run.flights.len(), run.events.len());
    let story = tell_all(&run, &find_conversations(&run.events));
    summarise(&story);
    condense(story, false);
});
