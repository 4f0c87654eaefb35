//! What a process does to its descriptors: fork, and exit; and which handlers of signals it has.
//!
//! A forked child inherits the outer ends, and they work (those of bridged sockets in full: the
//! parent's engine moves their bytes). It must not keep the inner ends open, or the parent could not
//! close them; and it has no engine, so every stack is closed in it.

use std::cell::RefCell;
use std::mem;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Once, OnceLock, RwLockWriteGuard};

use super::on_demand::hand_out_all;
use super::table::{self, Table};

/// How many forks lie between the first process and this one, since the first stack was opened.
static GENERATION: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The table, held by the thread that forks while it does: nobody else has it half changed then.
    static HELD: RefCell<Option<RwLockWriteGuard<'static, Table>>> = const { RefCell::new(None) };
}

/// A number that a forked child does not share with its parent.
pub(in crate::net) fn generation() -> u32 {
    GENERATION.load(SeqCst)
}

/// Has forks noticed from now on.
pub(in crate::net) fn watch_forks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the three functions are sound to call around a fork on the forking thread: what the
        // first does is done before anything is copied; they lock, unlock, load, store and close, and
        // do not unwind.
        unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    });
}

extern "C" fn before() {
    // The child has none of the host, and every descriptor.
    hand_out_all();
    let _ = HELD.try_with(|held| *held.borrow_mut() = Some(table::write()));
}

extern "C" fn in_parent() {
    let _ = HELD.try_with(|held| held.borrow_mut().take());
}

extern "C" fn in_child() {
    GENERATION.fetch_add(1, SeqCst);
    let _ = HELD.try_with(|held| {
        let Some(mut table) = held.borrow_mut().take() else { return };
        let sockets = table.take();
        for socket in sockets.values() {
            if let Some(descriptor) = socket.endpoint().descriptor.get() {
                descriptor.close_inherited();
            }
        }
        // Their locks may be held by threads that this process does not have.
        mem::forget(sockets);
    });
}

/// Whether all handlers that the process has ask for SA_RESTART, so that a call goes on after any of them.
/// Those for faults do not count: runtimes have them, and no call waits meanwhile.
pub(in crate::net) fn all_handlers_restart() -> bool {
    const FAULTS: [libc::c_int; 6] =
        [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT];
    (1..=libc::SIGRTMAX()).filter(|signal| !FAULTS.contains(signal)).all(|signal| {
        let mut action = mem::MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: it only asks, and writes to a place that lives until it returns; a structure of
        // numbers is whole when it is all zero.
        let (asked, action) = unsafe {
            let asked = libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
            (asked, action.assume_init())
        };
        let is_default = matches!(action.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN);
        asked != 0 || is_default || action.sa_flags & libc::SA_RESTART != 0
    })
}

/// Calls `function` when the process exits; the first one given, once.
pub(in crate::net) fn at_exit(function: fn()) {
    static FUNCTION: OnceLock<fn()> = OnceLock::new();
    extern "C" fn run() {
        if let Some(function) = FUNCTION.get() {
            // Nothing is left to tell of a panic.
            let _ = catch_unwind(function);
        }
    }
    if FUNCTION.set(function).is_ok() {
        // SAFETY: `run` takes nothing and does not unwind.
        unsafe { libc::atexit(run) };
    }
}
