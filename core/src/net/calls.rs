//! The application's lane in the event stream: a call enters, perhaps blocks, returns.
//!
//! Without an observer a [`Call`] is empty and costs one load.

use nix::errno::Errno;

use super::shared::{Locked, Shared};
use super::{SocketError, source};
use crate::event::Source;
use crate::host::SocketId;
pub(super) use crate::host::wording::{buffer as shown_bytes, zero};
use crate::time::Instant;

/// One call of the application.
pub(super) struct Call {
    name: &'static str,
    /// Until it is recorded; None as well when nobody reads.
    arguments: Option<String>,
    /// The line that makes it, if that is known.
    source: Option<Source>,
    number: Option<u64>,
    has_blocked: bool,
}

impl Call {
    /// A call of `name`; `arguments` as a source would write them.
    pub(super) fn new(
        shared: &Shared,
        name: &'static str,
        arguments: impl FnOnce() -> String,
    ) -> Call {
        let arguments = shared.events.is_on().then(arguments);
        let source = arguments.as_ref().and_then(|_| source::current());
        Call { name, arguments, source, number: None, has_blocked: false }
    }

    /// Records the entry, in the same hold of the lock as the work: the call is then the cause of it, and
    /// again of what it does when it goes on after waiting.
    pub(super) fn enter(&mut self, locked: &mut Locked, now: Instant, id: Option<SocketId>) {
        if let Some(arguments) = self.arguments.take() {
            let source = self.source.take();
            self.number = Some(locked.host.call_entered(now, id, self.name, arguments, source));
        } else if let Some(number) = self.number {
            locked.host.call_resumed(number);
        }
    }

    /// Records that it has to wait, once.
    pub(super) fn block(&mut self, locked: &mut Locked, now: Instant, id: SocketId) {
        let Some(number) = self.number else { return };
        if self.has_blocked {
            locked.host.call_paused();
        } else {
            self.has_blocked = true;
            locked.host.call_blocked(now, Some(id), number, self.name);
        }
    }

    /// Records what it returned, `shown` being what success looks like to the caller.
    pub(super) fn finish<T>(
        self,
        shared: &Shared,
        id: Option<SocketId>,
        result: &Result<T, SocketError>,
        shown: impl FnOnce(&T) -> String,
    ) {
        let Some(number) = self.number else { return };
        let text = match result {
            Ok(value) => shown(value),
            Err(error) => format!("-1 {:?}", Errno::from_raw(error.errno())),
        };
        // The stack may be gone by now, and its events with it.
        let _ = shared.enter_unchecked(|locked, now| {
            locked.host.call_returned(now, id, number, self.name, text);
        });
    }
}
