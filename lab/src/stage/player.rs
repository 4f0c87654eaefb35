//! A program on a host: its calls one after the other, each of which waits until it is done.

use tcpstack::event::Kind;
use tcpstack::host::{Domain, Host};
use tcpstack::sim::{BlockingCall, HostId, Socket, World};
use tcpstack::time::Instant;

use super::act::Acted;
use crate::lesson::{Call, Program, Repeat, Step};

/// A program and how far it has come.
pub(super) struct Player<'a> {
    program: &'a Program,
    host: HostId,
    /// The family of its sockets: its host's.
    domain: Domain,
    /// Its open sockets by their names, the one opened last at the end.
    open: Vec<(String, Socket)>,
    /// The step that is next or under way.
    step: usize,
    /// How often its call has returned, and how many bytes it has moved.
    returned: u32,
    moved: u64,
    doing: Doing,
}

enum Doing {
    /// It makes its next call then.
    Resting(Instant),
    Waiting(Waiting),
    Nothing,
}

/// A call that waits.
enum Waiting {
    Connect(BlockingCall<()>),
    Accept(BlockingCall<Socket>, String),
    Send(BlockingCall<usize>),
    Recv(BlockingCall<Vec<u8>>),
    Sleep { call: u64, until: Instant },
}

/// What a call has come to.
struct Outcome {
    /// As events tell of it.
    result: String,
    bytes: u64,
}

impl Outcome {
    /// The end of the stream, or an error: the same call would not do better.
    fn is_last(&self) -> bool {
        self.bytes == 0
    }
}

impl<'a> Player<'a> {
    pub(super) fn new(program: &'a Program, host: HostId, domain: Domain) -> Player<'a> {
        Player {
            program,
            host,
            domain,
            open: Vec::new(),
            step: 0,
            returned: 0,
            moved: 0,
            doing: Doing::Resting(Instant::ZERO + program.start),
        }
    }

    /// When it goes on by itself.
    pub(super) fn wake(&self) -> Option<Instant> {
        match &self.doing {
            Doing::Resting(until) | Doing::Waiting(Waiting::Sleep { until, .. }) => Some(*until),
            _ => None,
        }
    }

    /// What is left of it: said to who writes the scenario.
    pub(super) fn unfinished(&self) -> Option<String> {
        let step = self.program.steps.get(self.step)?;
        let (name, number) = (&self.program.name, self.step + 1);
        Some(format!("program {name} is still in its call {number}, {}", name_of(&step.call)))
    }

    /// Goes on as far as it can now.
    pub(super) fn go_on(&mut self, world: &mut World, acted: &mut Acted) {
        while let Some(step) = self.program.steps.get(self.step) {
            let known = world.events().len();
            let is_done = match std::mem::replace(&mut self.doing, Doing::Nothing) {
                Doing::Resting(until) if world.now() < until => {
                    self.doing = Doing::Resting(until);
                    return;
                }
                Doing::Waiting(waiting) => self.resume(world, waiting),
                Doing::Resting(_) | Doing::Nothing => {
                    let is_done = self.begin(world, step);
                    self.note_line(world, known, step, acted);
                    is_done
                }
            };
            let Some(bytes) = is_done else { return };
            let result = result_of(world, known).unwrap_or_default();
            self.finish(world.now(), step, &Outcome { result, bytes }, acted);
        }
    }

    /// Makes a call. None: it waits; otherwise the bytes that it moved.
    fn begin(&mut self, world: &mut World, step: &Step) -> Option<u64> {
        match &step.call {
            Call::Socket { name } => {
                let socket = world.socket(self.host, self.domain);
                self.open.push((name.clone(), socket));
                Some(0)
            }
            Call::Sleep { time } => {
                let until = world.now() + *time;
                let shown = time.as_secs_f64().to_string();
                let call = world.with_host(self.host, |host, now| {
                    let call = host.call_entered(now, None, "sleep", shown, None);
                    host.call_blocked(now, None, call, "sleep");
                    call
                });
                self.doing = Doing::Waiting(Waiting::Sleep { call, until });
                None
            }
            Call::Exit { signal } => {
                self.exit(world, signal.as_deref());
                Some(0)
            }
            call => {
                // Checked when the file was read; only a call that failed leaves none.
                let Some(socket) = self.socket(step.on.as_deref()) else {
                    return Some(0);
                };
                self.begin_on(world, socket, call)
            }
        }
    }

    fn begin_on(&mut self, world: &mut World, socket: Socket, call: &Call) -> Option<u64> {
        let id = socket.id;
        let zero = |_: &()| "0".to_owned();
        match call {
            Call::Bind { address } => {
                let shown = || address.to_string();
                let _ = world.call(socket, "bind", shown, zero, |host, _| host.bind(id, *address));
                Some(0)
            }
            Call::Listen { backlog } => {
                let shown = || backlog.to_string();
                let listen = |host: &mut Host, now| host.listen(now, id, *backlog);
                let _ = world.call(socket, "listen", shown, zero, listen);
                Some(0)
            }
            Call::SetOption { option, shown } => {
                let set = |host: &mut Host, now| host.set_option(now, id, *option);
                let _ = world.call(socket, "setsockopt", || shown.clone(), zero, set);
                Some(0)
            }
            Call::Shutdown { how } => {
                let _ = world.shutdown(socket, *how);
                Some(0)
            }
            Call::Close => {
                self.open.retain(|(_, open)| *open != socket);
                let _ = world.close(socket);
                Some(0)
            }
            Call::Recv { urgent: true, .. } => {
                let taken = world.call(
                    socket,
                    "recv",
                    || "1, MSG_OOB".to_owned(),
                    |byte: &Option<u8>| u8::from(byte.is_some()).to_string(),
                    |host, now| host.recv_urgent(now, id, false),
                );
                Some(u64::from(matches!(taken, Ok(Some(_)))))
            }
            Call::Connect { address } => {
                self.resume(world, Waiting::Connect(BlockingCall::connect(socket, *address)))
            }
            Call::Accept { name } => {
                let call = BlockingCall::accept(socket);
                self.resume(world, Waiting::Accept(call, name.clone()))
            }
            Call::Send { data, flags } => {
                let call = BlockingCall::send_with(socket, data.clone(), *flags);
                self.resume(world, Waiting::Send(call))
            }
            Call::Recv { max, .. } => {
                self.resume(world, Waiting::Recv(BlockingCall::recv(socket, *max)))
            }
            Call::Socket { .. } | Call::Sleep { .. } | Call::Exit { .. } => Some(0),
        }
    }

    /// Goes on with a call that waits.
    fn resume(&mut self, world: &mut World, mut waiting: Waiting) -> Option<u64> {
        let bytes = match &mut waiting {
            Waiting::Connect(call) => world.resume(call).map(|_| 0),
            Waiting::Accept(call, name) => world.resume(call).map(|accepted| {
                self.open.extend(accepted.map(|socket| (std::mem::take(name), socket)));
                0
            }),
            Waiting::Send(call) => world.resume(call).map(|sent| sent.unwrap_or(0) as u64),
            Waiting::Recv(call) => {
                world.resume(call).map(|bytes| bytes.map_or(0, |bytes| bytes.len() as u64))
            }
            Waiting::Sleep { until, .. } if world.now() < *until => None,
            Waiting::Sleep { call, .. } => {
                let call = *call;
                world.with_host(self.host, |host, now| {
                    host.call_resumed(call);
                    host.call_returned(now, None, call, "sleep", "0".to_owned());
                });
                Some(0)
            }
        };
        if bytes.is_none() {
            self.doing = Doing::Waiting(waiting);
        }
        bytes
    }

    /// A call has returned: it is made again, or the next one is.
    fn finish(&mut self, now: Instant, step: &Step, outcome: &Outcome, acted: &mut Acted) {
        self.returned += 1;
        self.moved += outcome.bytes;
        let is_over = match step.repeat {
            Repeat::Times(times) => self.returned >= times,
            Repeat::Bytes(bytes) => self.moved >= bytes || outcome.is_last(),
            Repeat::Eof => outcome.is_last(),
        };
        if !is_over {
            self.doing = Doing::Resting(now + step.pause);
            return;
        }
        if let Some(expected) = step.expect.as_ref().filter(|expected| **expected != outcome.result)
        {
            acted.surprises.push(format!(
                "program {}, call {}: {} returned `{}`, not `{expected}`",
                self.program.name,
                self.step + 1,
                name_of(&step.call),
                outcome.result,
            ));
        }
        (self.step, self.returned, self.moved) = (self.step + 1, 0, 0);
        self.doing = Doing::Nothing;
    }

    /// The kernel closes what a program has open when it ends.
    fn exit(&mut self, world: &mut World, signal: Option<&str>) {
        let open = std::mem::take(&mut self.open);
        let shown = signal.unwrap_or("0").to_owned();
        world.with_host(self.host, |host, now| {
            host.call_entered(now, None, "exit", shown, None);
            for (_, socket) in open {
                // It is open, so there is nothing to go wrong.
                let _ = host.close(now, socket.id);
            }
            // It never returns.
            host.call_paused();
        });
    }

    fn socket(&self, name: Option<&str>) -> Option<Socket> {
        let mut open = self.open.iter().rev();
        let found = open.find(|(known, _)| name.is_none_or(|name| name == known));
        found.map(|(_, socket)| *socket)
    }

    /// Where the call stands that was just entered.
    fn note_line(&self, world: &World, known: usize, step: &Step, acted: &mut Acted) {
        let made = &world.events()[known..];
        let entered = made.iter().position(|event| matches!(event.kind, Kind::CallEntered { .. }));
        if let Some(at) = entered.filter(|_| !step.lines.is_empty()) {
            acted.lines.insert(known + at, step.lines.clone());
        }
    }
}

/// What the call that returned last among the new events returned.
fn result_of(world: &World, known: usize) -> Option<String> {
    world.events()[known..].iter().rev().find_map(|event| match &event.kind {
        Kind::CallReturned { result, .. } => Some(result.clone()),
        _ => None,
    })
}

fn name_of(call: &Call) -> &'static str {
    match call {
        Call::Socket { .. } => "socket",
        Call::Bind { .. } => "bind",
        Call::Listen { .. } => "listen",
        Call::Accept { .. } => "accept",
        Call::Connect { .. } => "connect",
        Call::Send { .. } => "send",
        Call::Recv { .. } => "recv",
        Call::Shutdown { .. } => "shutdown",
        Call::Close => "close",
        Call::SetOption { .. } => "setsockopt",
        Call::Sleep { .. } => "sleep",
        Call::Exit { .. } => "exit",
    }
}
