//! Signals whose handlers have SA_RESTART, in a process that has no others.

mod net_support;

use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;

use net_support::{Network, SOON, blocked_calls, eventually};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use tcpstack::net::Flags;

static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_: libc::c_int) {
    HANDLED.fetch_add(1, SeqCst);
}

#[test]
fn a_call_goes_on_after_handlers_that_have_it_restarted() {
    let action = SigAction::new(SigHandler::Handler(count), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing but add.
    #[allow(unsafe_code)]
    unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();
    let network = Network::new();
    let blocked = blocked_calls(&network.alice);
    let (client, server) = network.connection();
    while blocked.try_recv().is_ok() {}
    let reader = thread::spawn(move || client.as_socket().recv(&mut [0; 1], Flags::default()));
    blocked.recv_timeout(SOON).unwrap();
    for handled in 1..=20 {
        // SAFETY: the thread is joined below.
        #[allow(unsafe_code)]
        unsafe {
            libc::pthread_kill(reader.as_pthread_t(), libc::SIGUSR1)
        };
        eventually("the handler runs", || HANDLED.load(SeqCst) == handled);
    }
    assert_eq!(server.as_socket().send(b"x", Flags::default()), Ok(1));
    assert_eq!(reader.join().unwrap(), Ok(1));
}
