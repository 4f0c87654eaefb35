use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::host::Domain;
use crate::net::{SocketError, Stack};

#[test]
fn a_panic_under_the_lock_ends_the_stack_and_wakes_who_waits() {
    let stack = Stack::open("user:?seed=1").unwrap();
    let (blocked, waits) = mpsc::channel();
    stack.on_event(Some(Box::new(move |json| {
        if json.contains("call_blocked") {
            let _ = blocked.send(());
        }
    })));
    let listener = stack.socket(Domain::V4).unwrap();
    listener.listen(1).unwrap();
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(listener.accept().map(|_| ())));
    waits.recv_timeout(Duration::from_secs(20)).unwrap();

    let broken = stack.clone();
    let panicked = thread::spawn(move || {
        let _ = broken.shared().enter(|_, _| panic!("a bug in the host"));
    });
    assert!(panicked.join().is_err());
    let gone = SocketError::Os(libc::ENOTRECOVERABLE);
    assert_eq!(stack.socket(Domain::V4).unwrap_err(), gone);
    let waited = result.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(waited.unwrap_err(), gone);
    assert!(!stack.is_open());
    stack.close();
}
