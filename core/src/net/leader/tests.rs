use std::collections::HashSet;
use std::io::{Read, Write};
use std::os::unix::thread::JoinHandleExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use super::*;
use crate::host::{Error, SocketOption};
use crate::net::busy_poll::BusyPoll;
use crate::net::{Flags, Socket, Stack, TcpListener, TcpStream};

/// Something is stuck when it takes longer.
const SOON: Duration = Duration::from_secs(20);

/// Two stacks on a directory that goes with them.
struct Network {
    alice: Stack,
    bob: Stack,
    directory: PathBuf,
}

impl Network {
    fn new() -> Network {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tcps-lead-{}-{}", std::process::id(), NEXT.fetch_add(1, SeqCst));
        let directory = std::env::temp_dir().join(name);
        let alice = open(&directory, "10.7.0.1/24");
        let bob = open(&directory, "10.7.0.2/24");
        Network { alice, bob, directory }
    }

    /// From Alice to Bob.
    fn connection(&self) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind(&self.bob, "10.7.0.2:0").unwrap();
        let client = TcpStream::connect(&self.alice, listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn open(directory: &std::path::Path, addr: &str) -> Stack {
    Stack::open(&format!("unix:{}?addr={addr}&seed=1", directory.display())).unwrap()
}

fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Beside<T> {
    let (done, result) = mpsc::channel();
    Beside { thread: thread::spawn(move || _ = done.send(work())), result }
}

/// A thread and what comes of it.
struct Beside<T> {
    thread: JoinHandle<()>,
    result: Receiver<T>,
}

impl<T> Beside<T> {
    fn result(&self) -> T {
        self.result.recv_timeout(SOON).expect("the other thread is stuck or panicked")
    }
}

/// Waits until `is_so`.
#[allow(clippy::disallowed_methods)]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(start.elapsed() < SOON, "{what}: not yet after {SOON:?}");
        thread::yield_now();
    }
}

/// A thread that reads a byte from `stream`, once it leads and polls.
fn leading_reader(stream: &TcpStream) -> Beside<Result<usize, SocketError>> {
    let reader = stream.clone();
    let thread = beside(move || reader.as_socket().recv(&mut [0; 1], Flags::default()));
    polls(stream.as_socket());
    thread
}

fn polls(socket: &Socket) {
    let endpoint = socket.endpoint();
    eventually("a waiting call leads", || endpoint.is_polling.load(SeqCst));
}

/// The threads that take in segments of `stack`, from now on.
fn threads_at_work(stack: &Stack) -> Arc<Mutex<HashSet<ThreadId>>> {
    let threads = Arc::new(Mutex::new(HashSet::new()));
    let seen = Arc::clone(&threads);
    stack.on_event(Some(Box::new(move |json| {
        if json.contains("\"segment_received\"") {
            seen.lock().unwrap().insert(thread::current().id());
        }
    })));
    threads
}

fn send(stream: &TcpStream, bytes: &[u8]) {
    assert_eq!(stream.as_socket().send(bytes, Flags::default()), Ok(bytes.len()));
}

#[test]
fn a_waiting_reader_takes_in_its_packets_itself_and_leaves_the_engine_asleep() {
    let network = Network::new();
    let (client, server) = network.connection();
    let reader = leading_reader(&client);
    let threads = threads_at_work(&network.alice);
    send(&server, b"x");
    assert_eq!(reader.result(), Ok(1));
    let expected = HashSet::from([reader.thread.thread().id()]);
    assert_eq!(*threads.lock().unwrap(), expected);
}

#[test]
fn a_leader_takes_in_what_is_for_others_and_wakes_them() {
    let network = Network::new();
    let (first, server) = network.connection();
    let (second, other_server) = network.connection();
    let leader = leading_reader(&first);
    let reader = second.clone();
    let follower = beside(move || reader.as_socket().recv(&mut [0; 1], Flags::default()));
    let threads = threads_at_work(&network.alice);
    send(&other_server, b"x");
    assert_eq!(follower.result(), Ok(1));
    // Events are handed out by whoever comes first, the follower perhaps; the engine sleeps.
    let awake = HashSet::from([leader.thread.thread().id(), follower.thread.thread().id()]);
    assert!(threads.lock().unwrap().is_subset(&awake));
    send(&server, b"x");
    assert_eq!(leader.result(), Ok(1));
}

#[test]
fn when_the_leader_returns_the_engine_takes_in_what_comes() {
    let network = Network::new();
    let (client, server) = network.connection();
    // A byte, and a bulk after which the device is left to nobody for a moment.
    for bytes in [&[7][..], &[7; 40_000]] {
        let reader = leading_reader(&client);
        send(&server, bytes);
        assert_eq!(reader.result(), Ok(1));
        assert!(network.alice.shared().leading.try_lock().is_ok());
        send(&server, b"more");
        eventually("the engine takes it in", || {
            let locked = network.alice.shared().lock().unwrap();
            locked.host.queues(client.as_socket().endpoint().id).unwrap().0 == bytes.len() + 3
        });
        (&client).read_exact(&mut vec![0; bytes.len() + 3]).unwrap();
    }
}

#[test]
fn what_another_thread_changes_wakes_the_leader() {
    let network = Network::new();
    let (client, _server) = network.connection();
    let reader = leading_reader(&client);
    client.shutdown(std::net::Shutdown::Read).unwrap();
    assert_eq!(reader.result(), Ok(0));

    let (client, _server) = network.connection();
    let reader = leading_reader(&client);
    client.as_socket().close().unwrap();
    assert_eq!(reader.result(), Err(Error::BadSocket.into()));
}

#[test]
fn a_timer_fires_while_a_thread_leads() {
    let network = Network::new();
    network.alice.sysctl_set("tcp_syn_retries", "1").unwrap();
    let silent =
        Stack::open(&format!("unix:{}?addr=10.7.0.3/24&loss=100%", network.directory.display()));
    let socket = Arc::new(network.alice.socket(crate::host::Domain::V4).unwrap());
    socket.set_option(SocketOption::UserTimeout(Duration::from_millis(50))).unwrap();
    let connecting = Arc::clone(&socket);
    let connect = beside(move || connecting.connect("10.7.0.3:80".parse().unwrap()));
    polls(&socket);
    assert_eq!(connect.result(), Err(Error::TimedOut.into()));
    drop(silent);
}

#[test]
fn the_receive_timeout_ends_a_lead() {
    let network = Network::new();
    let (client, _server) = network.connection();
    client.set_read_timeout(Some(Duration::from_millis(20)));
    let reader = leading_reader(&client);
    assert_eq!(reader.result(), Err(Error::WouldBlock.into()));
    assert!(network.alice.shared().leading.try_lock().is_ok());
}

/// Has SIGUSR2 interrupt calls and do nothing else.
fn handle_signal() {
    extern "C" fn nothing(_: libc::c_int) {}
    let handler = nix::sys::signal::SigHandler::Handler(nothing);
    let action = nix::sys::signal::SigAction::new(
        handler,
        nix::sys::signal::SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: the handler does nothing.
    #[allow(unsafe_code)]
    unsafe { nix::sys::signal::sigaction(Signal::SIGUSR2, &action) }.unwrap();
}

fn signal<T>(thread: &Beside<T>) {
    // SAFETY: the thread is not joined yet.
    #[allow(unsafe_code)]
    unsafe {
        libc::pthread_kill(thread.thread.as_pthread_t(), libc::SIGUSR2)
    };
}

#[test]
fn a_signal_interrupts_a_leader_that_has_worked_for_others() {
    handle_signal();
    let network = Network::new();
    let (client, _server) = network.connection();
    let (other, other_server) = network.connection();
    let reader = leading_reader(&client);
    send(&other_server, b"x");
    other.as_socket().recv(&mut [0; 1], Flags::default()).unwrap();
    // From here on signals are held until it is inside the poll: none is missed.
    polls(client.as_socket());
    signal(&reader);
    assert_eq!(reader.result(), Err(SocketError::Interrupted));
}

/// Has the next wait of `stack` look at the device for `busy_read` microseconds first.
fn look_next(stack: &Stack, busy_read: &str) {
    stack.sysctl_set("busy_read", busy_read).unwrap();
    *stack.shared().leading.lock().unwrap() = BusyPoll::on(2);
}

#[test]
fn a_signal_that_comes_while_a_leader_looks_is_let_in_by_the_poll() {
    handle_signal();
    let network = Network::new();
    let (client, _server) = network.connection();
    look_next(&network.alice, "10000");
    let (tell, told) = mpsc::channel();
    let stream = client.clone();
    let reader = beside(move || {
        tell.send(nix::unistd::gettid()).unwrap();
        stream.as_socket().recv(&mut [0; 1], Flags::default())
    });
    let status = format!("/proc/self/task/{}/status", told.recv().unwrap());
    eventually("it holds signals back", || {
        let status = std::fs::read_to_string(&status).unwrap();
        status
            .lines()
            .any(|line| line.starts_with("SigBlk:") && !line.ends_with("0000000000000000"))
    });
    signal(&reader);
    assert_eq!(reader.result(), Err(SocketError::Interrupted));
}

#[test]
fn a_look_in_vain_is_remembered_and_with_busy_read_0_there_is_none() {
    let network = Network::new();
    let (client, _server) = network.connection();
    client.set_read_timeout(Some(Duration::from_millis(5)));
    let learned = |busy_read| {
        look_next(&network.alice, busy_read);
        let read = client.as_socket().recv(&mut [0; 1], Flags::default());
        assert_eq!(read, Err(Error::WouldBlock.into()));
        network.alice.shared().leading.lock().unwrap().begin()
    };
    assert!(learned("0"), "it still would");
    assert!(!learned("1"), "not the next time");
}

#[test]
fn a_stack_that_is_closed_under_a_leader_frees_its_address_at_once() {
    let network = Network::new();
    for _ in 0..50 {
        let stack = open(&network.directory, "10.7.0.9/24");
        let listener = Arc::new(TcpListener::bind(&stack, "10.7.0.9:80").unwrap());
        let accepting = Arc::clone(&listener);
        let accept = beside(move || accepting.as_socket().accept().map(drop));
        polls(listener.as_socket());
        stack.close();
        assert_eq!(accept.result(), Err(SocketError::StackClosed));
    }
}

#[test]
fn no_wake_is_lost_between_many_threads_that_wait() {
    const THREADS: usize = 8;
    const ROUNDS: usize = 200;
    let network = Network::new();
    let done = Arc::new(AtomicUsize::new(0));
    let mut threads = Vec::new();
    for number in 0..THREADS {
        let (mut client, mut server) = network.connection();
        // Small ones and bulks, so that the lead is left both ways.
        let len = if number % 2 == 0 { 1 } else { 50_000 };
        threads.push(beside(move || {
            let mut data = vec![0; len];
            while server.read_exact(&mut data).is_ok() {
                server.write_all(&data).unwrap();
            }
        }));
        let done = Arc::clone(&done);
        threads.push(beside(move || {
            let mut data = vec![number as u8; len];
            for _ in 0..ROUNDS {
                client.write_all(&data).unwrap();
                client.read_exact(&mut data).unwrap();
            }
            done.fetch_add(1, SeqCst);
        }));
    }
    for thread in &threads {
        thread.result();
    }
    assert_eq!(done.load(SeqCst), THREADS);
}

#[test]
fn a_bulk_sender_takes_in_its_acknowledgments_itself_and_the_engine_comes_back_after_it() {
    let network = Network::new();
    let (client, server) = network.connection();
    let sink = server.clone();
    let reader = beside(move || {
        let mut received = vec![0; 4 << 20];
        (&sink).read_exact(&mut received).map(|()| received)
    });
    let data: Vec<u8> = (0..4 << 20).map(|at: usize| (at % 251) as u8).collect();
    let threads = threads_at_work(&network.alice);
    for piece in data.chunks(64 << 10) {
        send(&client, piece);
    }
    assert!(threads.lock().unwrap().contains(&thread::current().id()));
    // This thread does not come back: the last ACKs are the engine's, and the tails go out with them.
    assert_eq!(reader.result().unwrap(), data);
    eventually("the engine hears of the last ACK", || {
        let locked = network.alice.shared().lock().unwrap();
        let queues = locked.host.queues(client.as_socket().endpoint().id);
        queues.is_ok_and(|(_, unacknowledged, _)| unacknowledged == 0)
    });
}
