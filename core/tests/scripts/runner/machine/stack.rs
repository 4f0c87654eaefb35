//! The runtime under a manual clock: `user:?clock=manual`, with calls that block.
//!
//! A call that may block runs on a thread of its own, which has the machine to itself until the call
//! returns or waits: the two hand over to each other, so that a run is as reproducible as without.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tcpstack::host::Error;
use tcpstack::net::{self, Socket, SocketError, Stack};
use tcpstack::tcp::State;

use super::{Flags, Machine, Returned, SystemCall, Value, shown};
use crate::runner::flow::our_address;
use crate::runner::script::{Family, Settings};

/// What the thread of a call says.
enum Report {
    /// It waits, until that time at most.
    Waits(u64),
    Returned(Returned, Vec<(i64, Socket)>),
}

/// The thread's ends of the line.
struct Line {
    say: Sender<Report>,
    /// Go on; false: give up.
    hear: Receiver<bool>,
}

thread_local! {
    /// Set on the thread of a call that may block.
    static LINE: RefCell<Option<Line>> = const { RefCell::new(None) };
}

/// A call that waits.
struct Blocked {
    thread: JoinHandle<()>,
    say: Sender<bool>,
    hear: Receiver<Report>,
    deadline_us: u64,
}

pub(crate) struct StackMachine {
    stack: Stack,
    now_us: u64,
    next_us: Option<u64>,
    sockets: HashMap<i64, Arc<Socket>>,
    blocked: Option<Blocked>,
}

impl StackMachine {
    pub(crate) fn new(settings: &Settings, family: Family) -> Result<StackMachine, String> {
        let mtu = settings.mtu + if family == Family::V6 { 20 } else { 0 };
        let (address, seed) = (our_address(family), settings.seed);
        let mut url = format!("user:?addr={address}&clock=manual&seed={seed}&mtu={mtu}");
        for (name, value) in &settings.knobs {
            url.push_str(&format!("&{name}={value}"));
        }
        let stack = Stack::open(&url).map_err(|error| error.to_string())?;
        stack.set_wait(Some(Arc::new(wait)));
        let mut machine = StackMachine {
            stack,
            now_us: 0,
            next_us: None,
            sockets: HashMap::new(),
            blocked: None,
        };
        machine.advance(0);
        Ok(machine)
    }

    fn take(&mut self, report: Report) -> Option<Returned> {
        match report {
            Report::Waits(deadline_us) => {
                if let Some(blocked) = &mut self.blocked {
                    blocked.deadline_us = deadline_us;
                }
                None
            }
            Report::Returned(returned, sockets) => {
                if let Some(blocked) = self.blocked.take() {
                    blocked.thread.join().expect("the thread of a call does not panic");
                }
                self.keep(sockets);
                Some(returned)
            }
        }
    }

    fn keep(&mut self, sockets: Vec<(i64, Socket)>) {
        self.sockets.extend(sockets.into_iter().map(|(fd, socket)| (fd, Arc::new(socket))));
    }

    fn begin(&mut self, call: SystemCall, socket: Option<Arc<Socket>>) -> Option<Returned> {
        let (say_report, hear_report) = channel();
        let (say_go, hear_go) = channel();
        let stack = self.stack.clone();
        let thread = std::thread::spawn(move || {
            let say = say_report.clone();
            LINE.set(Some(Line { say, hear: hear_go }));
            let mut sockets = Vec::new();
            let returned = run(&stack, socket.as_deref(), call, &mut sockets);
            // The machine may be gone: then nobody asks.
            let _ = say_report.send(Report::Returned(returned, sockets));
        });
        let report = hear_report.recv().expect("the thread of a call says how it goes");
        self.blocked = Some(Blocked { thread, say: say_go, hear: hear_report, deadline_us: 0 });
        self.take(report)
    }
}

impl Drop for StackMachine {
    fn drop(&mut self) {
        if let Some(blocked) = self.blocked.take() {
            let _ = blocked.say.send(false);
            let _ = blocked.thread.join();
        }
    }
}

/// What a call that must wait does: it tells the script, and waits for word. On the script's own
/// thread it gives up.
fn wait(deadline_us: u64) -> bool {
    LINE.with_borrow(|line| {
        let Some(line) = line else { return false };
        line.say.send(Report::Waits(deadline_us)).is_ok() && line.hear.recv().unwrap_or(false)
    })
}

impl Machine for StackMachine {
    fn call(&mut self, call: SystemCall, may_block: bool) -> Option<Returned> {
        let fd = call.fd();
        let socket = match fd {
            Some(fd) => match self.sockets.get(&fd) {
                Some(socket) => Some(Arc::clone(socket)),
                None => return Some(Err("EBADF".into())),
            },
            None => None,
        };
        if matches!(call, SystemCall::Close { .. })
            && let Some(fd) = fd
        {
            self.sockets.remove(&fd);
        }
        if may_block {
            return self.begin(call, socket);
        }
        let mut sockets = Vec::new();
        let returned = run(&self.stack, socket.as_deref(), call, &mut sockets);
        self.keep(sockets);
        // Without a line, to wait is to be interrupted.
        (returned != Err("EINTR".to_owned())).then_some(returned)
    }

    fn resume(&mut self) -> Option<Returned> {
        let blocked = self.blocked.as_ref()?;
        blocked.say.send(true).expect("the call waits for word");
        let report = blocked.hear.recv().expect("the thread of a call says how it goes");
        self.take(report)
    }

    fn next_deadline_us(&mut self, _until_us: u64) -> Option<u64> {
        self.next_us = self.stack.poll(self.now_us).expect("time does not go back");
        let waits = self.blocked.as_ref().map(|blocked| blocked.deadline_us);
        self.next_us.into_iter().chain(waits.filter(|us| *us != u64::MAX)).min()
    }

    fn advance(&mut self, to_us: u64) -> u64 {
        self.now_us = to_us;
        self.next_us = self.stack.poll(to_us).expect("time does not go back");
        to_us
    }

    fn input(&mut self, packet: &[u8]) {
        self.stack.input(packet).expect("the device takes packets");
    }

    fn output(&mut self) -> Option<Vec<u8>> {
        let mut packet = vec![0; 65_535];
        let len = self.stack.output(&mut packet).expect("the device gives packets");
        packet.truncate(len);
        (len > 0).then_some(packet)
    }

    fn states(&mut self) -> Vec<(Option<SocketAddr>, State)> {
        self.stack.connections().into_iter().map(|row| (row.remote, row.state)).collect()
    }

    fn counter(&mut self, name: &str) -> Option<u64> {
        let counters = self.stack.counters();
        counters.into_iter().find_map(|(known, value)| (known == name).then_some(value))
    }

    fn info(&mut self, fd: i64) -> Result<Vec<u8>, String> {
        let socket = self.sockets.get(&fd).ok_or("EBADF")?;
        let info = socket.raw_option(libc::IPPROTO_TCP, libc::TCP_INFO, 1000).map_err(errno)?;
        Ok(info.to_vec())
    }

    fn set_knob(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.stack.sysctl_set(name, value).map_err(|error| error.to_string())
    }
}

/// Linux's name of an error.
fn errno(error: SocketError) -> String {
    match error {
        SocketError::Host(error) => error.name().to_owned(),
        SocketError::Interrupted => "EINTR".to_owned(),
        error => {
            let known = Error::ALL.iter().find(|known| known.errno() == error.errno());
            known
                .map_or_else(|| format!("errno {}", error.errno()), |known| known.name().to_owned())
        }
    }
}

/// Makes the call; new sockets go to `sockets`.
fn run(
    stack: &Stack,
    socket: Option<&Socket>,
    call: SystemCall,
    sockets: &mut Vec<(i64, Socket)>,
) -> Returned {
    match (call, socket) {
        (SystemCall::Socket { domain, number }, _) => {
            let socket = stack.socket(domain).map_err(errno)?;
            sockets.push((number, socket));
            Ok(Value::Done)
        }
        (SystemCall::Accept { number, nonblocking, .. }, Some(socket)) => {
            let (child, peer) = socket.accept().map_err(errno)?;
            child.set_nonblocking(nonblocking);
            sockets.push((number, child));
            Ok(Value::Address(peer))
        }
        (call, Some(socket)) => run_on(socket, call).map_err(errno),
        (call, None) => unreachable!("{call:?} has a socket"),
    }
}

fn run_on(socket: &Socket, call: SystemCall) -> Result<Value, SocketError> {
    let done = |()| Value::Done;
    match call {
        SystemCall::Bind { to, .. } => socket.bind(to).map(done),
        SystemCall::Listen { backlog, .. } => socket.listen(backlog).map(done),
        SystemCall::Connect { to, .. } => socket.connect(to).map(done),
        SystemCall::Disconnect { .. } => socket.disconnect().map(done),
        SystemCall::Send { data, flags, .. } => socket.send(&data, flags.into()).map(Value::Count),
        SystemCall::Receive { flags: flags @ Flags { urgent: true, .. }, .. } => {
            let byte = socket.recv_urgent(flags.into())?;
            Ok(Value::Bytes(byte.into_iter().collect()))
        }
        SystemCall::SendOpening { to, data, flags, .. } => {
            socket.send_opening(to, &data, flags.into()).map(Value::Count)
        }
        SystemCall::Receive { len, flags, .. } => {
            let mut bytes = vec![0; len];
            let count = socket.recv(&mut bytes, flags.into())?;
            bytes.truncate(count);
            Ok(Value::Bytes(bytes))
        }
        SystemCall::AtMark { .. } => {
            socket.is_at_urgent_mark().map(|is_at_mark| Value::Count(is_at_mark.into()))
        }
        SystemCall::Shutdown { how, .. } => socket.shutdown(how).map(done),
        SystemCall::Close { .. } => socket.close().map(done),
        SystemCall::SetOption { level, number, value, .. } => {
            socket.set_raw_option(level, number, &value).map(done)
        }
        SystemCall::GetOption { level, number, room, .. } => {
            socket.raw_option(level, number, room).map(|bytes| Value::Bytes(bytes.to_vec()))
        }
        SystemCall::SetNonblocking { on, .. } => {
            socket.set_nonblocking(on);
            Ok(Value::Done)
        }
        SystemCall::Poll { asked, .. } => Ok(Value::Readiness(shown(socket.readiness(), asked))),
        SystemCall::LocalAddress { .. } => socket.local_addr().map(Value::Address),
        SystemCall::PeerAddress { .. } => socket.peer_addr().map(Value::Address),
        SystemCall::Queues { .. } => {
            let (readable, unacknowledged, _) = socket.queues()?;
            Ok(Value::Queues(readable, unacknowledged, socket.unsent()?))
        }
        SystemCall::State { .. } => socket.info().map(|info| Value::State(info.state)),
        SystemCall::Socket { .. } | SystemCall::Accept { .. } => unreachable!("made above"),
    }
}

impl From<Flags> for net::Flags {
    fn from(flags: Flags) -> net::Flags {
        let Flags { peek, dont_wait, wait_all, more, end_of_record, urgent } = flags;
        net::Flags { peek, dont_wait, wait_all, more, end_of_record, out_of_band: urgent }
    }
}
