//! Two stacks on a network of their own: a directory that is removed with them.

#![allow(dead_code)] // Each test file uses its part.

use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use tcpstack::host::Domain;
use tcpstack::net::{Socket, Stack, TcpListener, TcpStream};

/// Some test is stuck when a call takes longer.
pub(crate) const SOON: std::time::Duration = std::time::Duration::from_secs(20);

/// A directory that is removed when dropped.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, SeqCst);
        let name = format!("tcps-net-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Alice is 10.7.0.1, Bob 10.7.0.2.
pub(crate) struct Network {
    pub(crate) alice: Stack,
    pub(crate) bob: Stack,
    pub(crate) directory: Directory,
}

impl Network {
    pub(crate) fn new() -> Network {
        Network::with("")
    }

    /// With more in both URLs, as `&loss=1%`.
    pub(crate) fn with(keys: &str) -> Network {
        let directory = Directory::new();
        let path = directory.0.display();
        let open = |host: u8| {
            Stack::open(&format!("unix:{path}?addr=10.7.0.{host}/24&seed={host}{keys}")).unwrap()
        };
        Network { alice: open(1), bob: open(2), directory }
    }

    /// A connection from Alice to a listener of Bob's.
    pub(crate) fn connection(&self) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind(&self.bob, "10.7.0.2:0").unwrap();
        let client = TcpStream::connect(&self.alice, listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        (client, server)
    }

    /// A listening socket of Bob's and its address.
    pub(crate) fn listener(&self, backlog: u32) -> (Socket, std::net::SocketAddr) {
        let socket = self.bob.socket(Domain::V4).unwrap();
        socket.bind("10.7.0.2:0".parse().unwrap()).unwrap();
        socket.listen(backlog).unwrap();
        let addr = socket.local_addr().unwrap();
        (socket, addr)
    }
}

/// Bytes that no shift or loss leaves looking right.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Runs `work` beside the test; the function returned waits for its result, and fails the test when
/// that does not come soon.
pub(crate) fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Box<dyn FnOnce() -> T> {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    Box::new(move || result.recv_timeout(SOON).expect("the other thread is stuck or panicked"))
}

/// Gets a message whenever a call on `stack` starts to wait.
pub(crate) fn blocked_calls(stack: &Stack) -> Receiver<()> {
    let (blocked, calls) = mpsc::channel();
    stack.on_event(Some(Box::new(move |json| {
        if json.contains("\"call_blocked\"") {
            let _ = blocked.send(());
        }
    })));
    calls
}

/// A test may look at the clock, to see whether the stack kept to it.
#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// A descriptor's number, for calls that want to know that it is open.
#[allow(unsafe_code)]
pub(crate) fn borrow<'a>(fd: RawFd) -> BorrowedFd<'a> {
    // SAFETY: the tests keep the descriptors that they use open.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

/// Takes charge of a descriptor: closed, by the kernel's call, when dropped.
#[allow(unsafe_code)]
pub(crate) fn own(fd: RawFd) -> OwnedFd {
    // SAFETY: `open_descriptor` and `accept_descriptor` give descriptors that the caller owns.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// What `poll` shows, as `IN|OUT`.
pub(crate) fn mask(fd: RawFd) -> String {
    const NAMES: [(EpollFlags, &str); 6] = [
        (EpollFlags::EPOLLIN, "IN"),
        (EpollFlags::EPOLLPRI, "PRI"),
        (EpollFlags::EPOLLOUT, "OUT"),
        (EpollFlags::EPOLLRDHUP, "RDHUP"),
        (EpollFlags::EPOLLHUP, "HUP"),
        (EpollFlags::EPOLLERR, "ERR"),
    ];
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
    let all = NAMES.iter().fold(EpollFlags::empty(), |all, (flag, _)| all | *flag);
    epoll.add(borrow(fd), EpollEvent::new(all, 0)).unwrap();
    let mut events = [EpollEvent::empty()];
    let count = epoll.wait(&mut events, EpollTimeout::ZERO).unwrap();
    let shown = if count == 0 { EpollFlags::empty() } else { events[0].events() };
    let names = NAMES.iter().filter(|(flag, _)| shown.contains(*flag));
    names.map(|(_, name)| *name).collect::<Vec<_>>().join("|")
}

/// Waits until `poll` shows `expected`; what it shows when that never happens.
pub(crate) fn mask_becomes(fd: RawFd, expected: &str) -> String {
    becomes(expected, || mask(fd))
}

/// Waits until `show` says `expected`; what it says when that never happens.
pub(crate) fn becomes(expected: &str, show: impl Fn() -> String) -> String {
    let start = now();
    loop {
        let shown = show();
        if shown == expected || start.elapsed() > std::time::Duration::from_secs(2) {
            return shown;
        }
        thread::yield_now();
    }
}

/// Waits until `is_so`.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = now();
    while !is_so() {
        assert!(start.elapsed() < SOON, "{what}: not yet after {SOON:?}");
        thread::yield_now();
    }
}

/// Runs a test in a process of its own, as it counts or takes what the others use as well. True in that process.
pub(crate) fn is_alone(name: &str) -> bool {
    if std::env::var_os("TCPS_TEST_ALONE").is_some() {
        return true;
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", name]).env("TCPS_TEST_ALONE", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    false
}
