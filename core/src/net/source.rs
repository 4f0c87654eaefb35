//! Which line of a program makes a call, for events: the language above knows its callers, and is asked
//! when a call is recorded.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::event::Source;

static IS_WANTED: AtomicBool = AtomicBool::new(false);
static TELLER: OnceLock<fn() -> Option<Source>> = OnceLock::new();

/// Has `teller` asked for the line that makes a call, whenever one is recorded; on the thread that calls,
/// and with no lock held. The first one stays.
pub fn set_source_teller(teller: fn() -> Option<Source>) {
    let _ = TELLER.set(teller);
}

/// Whether any stack of this process has had a reader of its events: only then a line is worth finding
/// before a call.
#[inline]
pub fn wants_source() -> bool {
    IS_WANTED.load(Relaxed)
}

/// Somebody reads events from now on.
pub(super) fn want() {
    IS_WANTED.store(true, Relaxed);
}

/// Where the call that begins now comes from.
pub(super) fn current() -> Option<Source> {
    TELLER.get()?()
}
