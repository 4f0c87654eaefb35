//! The protocol alone: `tcpstack::host::Host`, moved by hand.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use tcpstack::host::{Config, Error, Host, OptionName, SocketId, SocketOption};
use tcpstack::tcp::{SendFlags, State};
use tcpstack::time::Instant;
use tcpstack::wire::packet::{Frame, Verification};

use super::{Flags, Machine, Returned, SystemCall, Value, shown};
use crate::runner::flow::our_address;
use crate::runner::script::{Family, Settings};

/// Timers that may fire in one step of time; more, and the machine runs in circles.
const TIMERS_MAX: u32 = 100_000;

pub(crate) struct HostMachine {
    host: Host,
    now: Instant,
    sockets: HashMap<i64, SocketId>,
    output: VecDeque<Vec<u8>>,
}

impl HostMachine {
    pub(crate) fn new(settings: &Settings, family: Family) -> Result<HostMachine, String> {
        let mut config = Config::new([our_address(family)], settings.seed);
        config.mtu = settings.mtu + if family == Family::V6 { 20 } else { 0 };
        for (name, value) in &settings.knobs {
            config.knobs.set(name, value).map_err(|error| error.to_string())?;
        }
        let host = Host::new(config, None);
        let (sockets, output) = (HashMap::new(), VecDeque::new());
        Ok(HostMachine { host, now: Instant::ZERO, sockets, output })
    }

    /// Takes out what may leave: it is there as soon as the call that made it possible returns.
    fn collect(&mut self) {
        while let Some(transmit) = self.host.poll_transmit(self.now) {
            self.output.push_back(transmit.to_bytes());
        }
        while self.host.poll_wake().is_some() {}
        self.host.check();
    }

    fn socket(&self, fd: i64) -> Result<SocketId, Error> {
        self.sockets.get(&fd).copied().ok_or(Error::BadSocket)
    }

    fn try_call(&mut self, call: SystemCall) -> Result<Value, Error> {
        let now = self.now;
        match call {
            SystemCall::Socket { domain, number } => {
                let id = self.host.socket(domain);
                self.sockets.insert(number, id);
            }
            SystemCall::Bind { fd, to } => self.host.bind(self.socket(fd)?, to)?,
            SystemCall::Listen { fd, backlog } => {
                self.host.listen(now, self.socket(fd)?, backlog)?;
            }
            SystemCall::Accept { fd, number, .. } => {
                let (id, peer) = self.host.accept(now, self.socket(fd)?)?;
                self.sockets.insert(number, id);
                return Ok(Value::Address(peer));
            }
            SystemCall::Connect { fd, to } => self.host.connect(now, self.socket(fd)?, to)?,
            SystemCall::Disconnect { fd } => self.host.dissolve(now, self.socket(fd)?)?,
            SystemCall::Shutdown { fd, how } => self.host.shutdown(now, self.socket(fd)?, how)?,
            SystemCall::Close { fd } => {
                self.host.close(now, self.socket(fd)?)?;
                self.sockets.remove(&fd);
            }
            SystemCall::SetOption { fd, level, number, value } => {
                let id = self.socket(fd)?;
                self.host.set_option(now, id, SocketOption::decode(level, number, &value)?)?;
            }
            // Nothing here ever waits.
            SystemCall::SetNonblocking { .. } => {}
            call => return self.ask(call),
        }
        Ok(Value::Done)
    }

    fn ask(&mut self, call: SystemCall) -> Result<Value, Error> {
        let now = self.now;
        Ok(match call {
            SystemCall::Send { fd, data, flags } => {
                let Flags { urgent, more, end_of_record, .. } = flags;
                let (id, flags) =
                    (self.socket(fd)?, SendFlags { more, bulk: false, end_of_record, urgent });
                Value::Count(self.host.send_with(now, id, &data, flags)?)
            }
            SystemCall::SendOpening { fd, to, data, .. } => {
                let id = self.socket(fd)?;
                Value::Count(match self.host.connect_with(now, id, to, &data)? {
                    // It is connected already.
                    0 => self.host.send_with(now, id, &data, SendFlags::default())?,
                    taken => taken,
                })
            }
            SystemCall::Receive { fd, flags: Flags { urgent: true, peek, .. }, .. } => {
                let byte = self.host.recv_urgent(now, self.socket(fd)?, peek)?;
                Value::Bytes(byte.into_iter().collect())
            }
            SystemCall::Receive { fd, len, flags } => {
                let slices = self.host.recv(now, self.socket(fd)?, len, flags.peek)?;
                Value::Bytes(slices.concat())
            }
            SystemCall::AtMark { fd } => {
                let is_at_mark = self.host.is_at_urgent_mark(self.socket(fd)?)?;
                Value::Count(is_at_mark.into())
            }
            SystemCall::GetOption {
                fd, number: libc::SO_ERROR, level: libc::SOL_SOCKET, ..
            } => {
                let error = self.host.take_error(self.socket(fd)?)?;
                Value::Bytes(error.map_or(0, Error::errno).to_ne_bytes().to_vec())
            }
            SystemCall::GetOption { fd, level, number, room } => {
                let id = self.socket(fd)?;
                let row = OptionName::find(level, number).ok_or(Error::NoOption)?;
                Value::Bytes(self.host.option(id, row.option)?.encode(room).to_vec())
            }
            SystemCall::Poll { fd, asked } => {
                Value::Readiness(shown(self.host.readiness(self.socket(fd)?), asked))
            }
            SystemCall::LocalAddress { fd } => {
                Value::Address(self.host.local_addr(self.socket(fd)?)?)
            }
            SystemCall::PeerAddress { fd } => {
                Value::Address(self.host.peer_addr(self.socket(fd)?)?)
            }
            SystemCall::Queues { fd } => {
                let id = self.socket(fd)?;
                let (readable, unacknowledged, _) = self.host.queues(id)?;
                Value::Queues(readable, unacknowledged, self.host.unsent(id)?)
            }
            SystemCall::State { fd } => Value::State(self.host.state(self.socket(fd)?)?),
            other => unreachable!("{other:?} asks nothing"),
        })
    }
}

impl Machine for HostMachine {
    fn call(&mut self, call: SystemCall, _may_block: bool) -> Option<Returned> {
        let result = self.try_call(call).map_err(|error| error.name().to_owned());
        self.collect();
        Some(result)
    }

    fn resume(&mut self) -> Option<Returned> {
        None
    }

    fn next_deadline_us(&mut self, _until_us: u64) -> Option<u64> {
        Some(self.host.next_deadline()?.as_nanos().div_ceil(1000))
    }

    fn advance(&mut self, to_us: u64) -> u64 {
        let target = Instant::from_micros(to_us);
        let mut fired = 0;
        while let Some(deadline) = self.host.next_deadline().filter(|due| *due <= target) {
            // A deadline may be what was left over at this very moment.
            self.now = deadline.max(self.now);
            self.host.handle_timers(self.now);
            self.collect();
            fired += 1;
            assert!(fired < TIMERS_MAX, "a timer is due again and again");
        }
        self.now = target;
        self.collect();
        to_us
    }

    fn input(&mut self, packet: &[u8]) {
        let bytes = bytes::Bytes::copy_from_slice(packet);
        let frame = Frame::new(bytes, Verification::Unverified, 0);
        self.host.handle_frame(self.now, frame);
        self.collect();
    }

    fn output(&mut self) -> Option<Vec<u8>> {
        self.output.pop_front()
    }

    fn states(&mut self) -> Vec<(Option<SocketAddr>, State)> {
        self.host.connections().into_iter().map(|row| (row.remote, row.state)).collect()
    }

    fn counter(&mut self, name: &str) -> Option<u64> {
        self.host.counters().get(name)
    }

    fn info(&mut self, fd: i64) -> Result<Vec<u8>, String> {
        let info = self.socket(fd).and_then(|id| self.host.tcp_info(self.now, id));
        info.map(|info| info.to_bytes()).map_err(|error| error.name().to_owned())
    }

    fn set_knob(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.host.set_knob(name, value).map_err(|error| error.to_string())
    }
}
