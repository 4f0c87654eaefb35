//! A stack: opened from a URL, closed with care.
//!
//! Handles are cheap to clone; sockets hold one, so a stack lives as long as anything of it is
//! used. Closing sends FINs and gives unacknowledged data a moment; what a process leaves open is
//! closed so when it exits. In a forked child the stack is closed: the engine stays in the parent.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::{self, JoinHandle};

use nix::sys::signal::{SigSet, SigmaskHow};
use rustix::thread::{Pid, gettid};

use super::blocking::Endpoint;
use super::calls::{Call, zero};
use super::clock::Clock;
use super::descriptor;
use super::engine::ReceiveSide;
use super::events::{EventFunction, EventStream};
use super::manual::UserDevice;
use super::pump::TransmitSide;
use super::reactor::Reactor;
use super::shared::{Parts, Shared};
use super::socket::Socket;
use super::url::{DeviceUrl, Url};
use super::{OpenError, SocketError};
use crate::device::{
    self, Captured, Device, Impaired, PcapngWriter, TunConfig, TunDevice, UnixDevice,
};
use crate::event::json::Header;
use crate::host::{Config, ConnectionInfo, Domain, Error, Host, KnobError};

/// The address of a stack that was given none: of a network that nothing else is likely to use.
const DEFAULT_ADDRESS: (IpAddr, u8) = (IpAddr::V4(Ipv4Addr::new(10, 7, 0, 2)), 24);
/// The kernel's, on the far side of a TUN interface.
const DEFAULT_HOST: (IpAddr, u8) = (IpAddr::V4(Ipv4Addr::new(10, 7, 0, 1)), 24);

/// What `Stack::default_stack` returns.
static DEFAULT: Mutex<Option<Stack>> = Mutex::new(None);
/// Every stack of the process, to be closed when it exits.
static OPEN: Mutex<Vec<Weak<Handle>>> = Mutex::new(Vec::new());

/// A running host: its lock, its device, its engine thread (none with `clock=manual`). Cheap to
/// clone; closed when the last clone and the last socket are gone, or by [`Stack::close`].
///
/// ```
/// use tcpstack::net::Stack;
///
/// let stack = Stack::open("user:?addr=10.7.0.2/24&tcp_msl_ms=1000")?;
/// assert_eq!(stack.addresses(), ["10.7.0.2".parse::<std::net::IpAddr>()?]);
/// assert_eq!(stack.sysctl_get("tcp_msl_ms").as_deref(), Some("1000"));
/// stack.close();
/// assert!(!stack.is_open());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Stack(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    url: String,
    addresses: Vec<IpAddr>,
    engine: Mutex<Option<JoinHandle<()>>>,
    /// The kernel's number: asking Rust for its own would leave memory behind in threads of C.
    engine_id: Arc<OnceLock<Pid>>,
}

impl Stack {
    /// Opens the stack that `url` names: `DEVICE?key=value&...`, for instance
    /// `unix:/tmp/net?addr=10.7.0.2/24&loss=1%`.
    ///
    /// # Errors
    /// [`OpenError`]: a key or value that is not understood (the message says what is), or a device
    /// or file that the system refuses.
    pub fn open(url: &str) -> Result<Stack, OpenError> {
        let parsed = Url::parse(url)?;
        let seed = match parsed.seed {
            Some(seed) => seed,
            None => random_seed().map_err(refused("/dev/urandom"))?,
        };
        let clock = if parsed.manual_clock { Clock::manual() } else { Clock::Real };
        let (addresses, device, user) = open_device(&parsed)?;
        let device = dress(device, &parsed, seed, &clock)?;
        let header = Header {
            host: addresses.first().map(|(address, _)| address.to_string()).unwrap_or_default(),
            url: url.to_owned(),
            unix_epoch_ns: clock.unix_epoch_ns(),
        };
        let events = EventStream::new(header);
        let observer = match &parsed.events {
            Some(path) => {
                let name = path.display().to_string();
                let opened = File::create(path).and_then(|file| events.open_file(file));
                Some(opened.map_err(refused(&name))?)
            }
            None => None,
        };
        let config = Config {
            name: String::new(),
            addresses: addresses.clone(),
            mtu: device.mtu(),
            gso_max: device.gso_max(),
            seed,
            knobs: parsed.knobs,
        };
        let reactor = Reactor::new(&*device).map_err(|errno| refused("epoll")(errno.into()))?;
        descriptor::watch_forks();
        let shared = Arc::new(Shared::new(Parts {
            host: Host::new(config, observer),
            transmit: TransmitSide::new(Arc::clone(&device)),
            receive: ReceiveSide::new(device),
            user,
            clock,
            reactor,
            events,
        }));
        let handle = Handle {
            shared,
            url: url.to_owned(),
            addresses: addresses.into_iter().map(|(address, _)| address).collect(),
            engine: Mutex::new(None),
            engine_id: Arc::default(),
        };
        let stack = Stack(Arc::new(handle));
        if !parsed.manual_clock {
            stack.0.start().map_err(refused("the engine's thread"))?;
        }
        register(&stack.0);
        Ok(stack)
    }

    /// The stack that programs use unless they say otherwise: the one given to
    /// [`Stack::set_default`], or else opened now from `$TCPSTACK` (`unix:` when that is not set). The
    /// same one until it is closed.
    ///
    /// # Errors
    /// As [`Stack::open`].
    pub fn default_stack() -> Result<Stack, OpenError> {
        let mut default = DEFAULT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stack) = default.as_ref().filter(|stack| stack.is_open()) {
            return Ok(stack.clone());
        }
        let url = std::env::var("TCPSTACK").unwrap_or_else(|_| "unix:".into());
        let stack = Stack::open(&url)?;
        *default = Some(stack.clone());
        Ok(stack)
    }

    /// Makes `stack` (or none) what [`Stack::default_stack`] returns.
    pub fn set_default(stack: Option<Stack>) {
        let old =
            std::mem::replace(&mut *DEFAULT.lock().unwrap_or_else(PoisonError::into_inner), stack);
        // Closing may take a moment, and others may want the default meanwhile.
        drop(old);
    }

    /// Closes every socket as `close` does, gives data and FINs that are not yet acknowledged up to
    /// `tcp_close_flush_ms` (not under a manual clock, where no time passes here), abandons
    /// TIME-WAIT, stops the engine and lets go of the device. Every later call fails with EBADF, and
    /// calls that wait in other threads return so. Again: nothing happens.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether calls get in: not closed, not ended by a panic or by its device, not inherited by fork.
    pub fn is_open(&self) -> bool {
        self.0.shared.check_open().is_ok()
    }

    /// The URL it was opened with.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Its own addresses, those of the loopback network left out.
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.0.addresses.clone()
    }

    /// Sets a knob for what happens from now on.
    ///
    /// # Errors
    /// [`KnobError`]: there is no such knob, or the value is outside its range.
    pub fn sysctl_set(&self, name: &str, value: &str) -> Result<(), KnobError> {
        match self.0.shared.lock() {
            Ok(mut locked) => locked.host.set_knob(name, value),
            // The knobs of a stack in pieces: nothing reads them any more.
            Err(_) => Ok(()),
        }
    }

    /// A knob's value as text; None when there is no such knob.
    pub fn sysctl_get(&self, name: &str) -> Option<String> {
        self.0.shared.lock().ok()?.host.knobs().get(name)
    }

    /// Every connection and listening socket, SYN-RECEIVED, TIME-WAIT and orphans included.
    pub fn connections(&self) -> Vec<ConnectionInfo> {
        self.0.shared.lock().map(|locked| locked.host.connections()).unwrap_or_default()
    }

    /// What the host and the device counted so far, by name.
    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        let shared = &self.0.shared;
        let Ok(locked) = shared.lock() else { return Vec::new() };
        let mut counters: Vec<_> = locked.host.counters().iter().collect();
        drop(locked);
        let side = shared.receive.lock().unwrap_or_else(PoisonError::into_inner);
        counters.extend(side.counters());
        counters
    }

    /// Hands every event from here on to `observer`, as one JSON object without the newline; None
    /// ends it. The function runs on any thread that uses the stack, its own included, never on two
    /// at once; it must not call into the stack, whose locks may be held around it.
    pub fn on_event(&self, observer: Option<EventFunction>) {
        let shared = &self.0.shared;
        if let Some(observer) = shared.events.set_callback(observer) {
            let _ = shared.enter(|locked, _| locked.host.set_observer(observer));
        }
    }

    /// A new socket, unbound and unconnected.
    ///
    /// # Errors
    /// `StackClosed`.
    pub fn socket(&self, domain: Domain) -> Result<Socket, SocketError> {
        Socket::open(self, domain)
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// Whether the embedder owns time (`clock=manual`), so that nothing may sleep.
    pub fn is_manual(&self) -> bool {
        self.0.shared.clock.is_manual()
    }

    /// Whether it is a handle of that stack.
    pub(super) fn is(&self, shared: &Shared) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.0.shared), shared)
    }
}

/// Two handles are equal when they are of one stack.
impl PartialEq for Stack {
    fn eq(&self, other: &Stack) -> bool {
        self.is(&other.0.shared)
    }
}

impl Eq for Stack {}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").field("url", &self.0.url).finish_non_exhaustive()
    }
}

impl Handle {
    /// Starts the engine. It takes no signals: handlers run on the application's threads, whose
    /// calls they interrupt.
    fn start(&self) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let engine_id = Arc::clone(&self.engine_id);
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK)?;
        let engine = thread::Builder::new().name("tcpstack".into()).spawn(move || {
            let _ = engine_id.set(gettid());
            shared.run_engine();
            shared.finish();
        });
        before.thread_set_mask()?;
        *lock(&self.engine) = Some(engine?);
        Ok(())
    }

    fn close(&self) {
        let shared = &self.shared;
        if !shared.is_ours() {
            return;
        }
        if shared.shut_out(libc::EBADF) {
            shared.close_sockets();
        }
        shared.reactor.kick();
        if self.engine_id.get() == Some(&gettid()) {
            // The engine let go of the last handle: it ends after this turn.
            return;
        }
        match lock(&self.engine).take() {
            // A panic in it was caught and told to everyone.
            Some(engine) => _ = engine.join(),
            None => shared.finish(),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    /// Closes every socket. Bridged ones first get what the application wrote into its descriptor.
    fn close_sockets(&self) {
        for endpoint in self.endpoints() {
            match endpoint.descriptor.get() {
                Some(descriptor) => descriptor.abandon(self, &endpoint),
                None => self.close_unasked(&endpoint),
            }
        }
    }

    /// Closes one socket: its port is free, or its FIN on the way, when this returns.
    ///
    /// # Errors
    /// `BadSocket` when it was closed before.
    pub(super) fn close_endpoint(
        &self,
        endpoint: &Endpoint,
        call: &mut Call,
    ) -> Result<(), SocketError> {
        if endpoint.is_closed.swap(true, SeqCst) {
            // It may linger: the stack's end is the end of that.
            endpoint.wake(self);
            return Err(Error::BadSocket.into());
        }
        let id = endpoint.id;
        let closed = self.enter_unchecked(|locked, now| {
            call.enter(locked, now, Some(id));
            locked.endpoints.remove(&id);
            locked.host.close(now, id)
        });
        endpoint.wake(self);
        Ok(closed??)
    }

    /// Closes a socket whose descriptor is gone: there is nobody to tell how it went.
    pub(super) fn close_unasked(&self, endpoint: &Endpoint) {
        let mut call = Call::new(self, "close", String::new);
        let closed = self.close_endpoint(endpoint, &mut call);
        call.finish(self, Some(endpoint.id), &closed, zero);
    }

    /// The end: descriptors hung up, the device let go.
    fn finish(&self) {
        descriptor::hang_up(self);
        self.drop_device();
        self.events.flush();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the process close `handle` when it exits.
fn register(handle: &Arc<Handle>) {
    let mut open = lock(&OPEN);
    open.retain(|known| known.strong_count() > 0);
    open.push(Arc::downgrade(handle));
    drop(open);
    descriptor::at_exit(close_all);
}

/// As the kernel would close what an exiting process left open.
fn close_all() {
    // Taken by a thread that will never run again, if this is a forked child.
    let Ok(mut open) = OPEN.try_lock() else { return };
    let open = std::mem::take(&mut *open);
    for handle in open.iter().filter_map(Weak::upgrade) {
        handle.close();
    }
}

/// Names what the system refused.
fn refused(name: &str) -> impl FnOnce(io::Error) -> OpenError {
    let device = name.to_owned();
    move |source| OpenError::Device { device, source }
}

fn random_seed() -> io::Result<u64> {
    let mut seed = [0; 8];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(u64::from_ne_bytes(seed))
}

type Opened = (Vec<(IpAddr, u8)>, Box<dyn Device>, Option<Arc<UserDevice>>);

/// Opens the device and settles the addresses.
fn open_device(url: &Url) -> Result<Opened, OpenError> {
    let addresses = match url.addresses.as_slice() {
        [] => vec![DEFAULT_ADDRESS],
        given => given.to_vec(),
    };
    match &url.device {
        DeviceUrl::Tun(name) => {
            let host = match url.host.as_slice() {
                [] if url.addresses.is_empty() => vec![DEFAULT_HOST],
                given => given.to_vec(),
            };
            let default = TunConfig::default();
            let config = TunConfig {
                mtu: url.mtu,
                host,
                offload: url.offload.unwrap_or(default.offload),
                queues: url.queues.unwrap_or(default.queues),
                // Whoever records events wants to see each segment.
                in_bulk: url.events.is_none(),
            };
            let device = TunDevice::open(name, &config).map_err(refused(&format!("tun:{name}")))?;
            Ok((addresses, Box::new(device), None))
        }
        DeviceUrl::Unix(directory) => {
            let (addresses, device) = open_unix(directory.as_ref(), url)?;
            Ok((addresses, Box::new(device), None))
        }
        DeviceUrl::User => {
            let user = Arc::new(UserDevice::new(url.mtu()));
            Ok((addresses, Box::new(Arc::clone(&user)), Some(user)))
        }
    }
}

/// Joins a directory, under the first free address of 10.7.0.0/24 unless told which.
fn open_unix(
    directory: Option<&PathBuf>,
    url: &Url,
) -> Result<(Vec<(IpAddr, u8)>, UnixDevice), OpenError> {
    let name = directory.map_or_else(|| "unix:".into(), |path| format!("unix:{}", path.display()));
    let open = |addresses: &[(IpAddr, u8)]| {
        let addresses: Vec<_> = addresses.iter().map(|(address, _)| *address).collect();
        UnixDevice::open(directory.map(PathBuf::as_path), &addresses, url.mtu())
    };
    if !url.addresses.is_empty() {
        let device = open(&url.addresses).map_err(refused(&name))?;
        return Ok((url.addresses.clone(), device));
    }
    let mut last = None;
    for host in 2..=254 {
        let addresses = vec![(IpAddr::V4(Ipv4Addr::new(10, 7, 0, host)), 24)];
        match open(&addresses) {
            Ok(device) => return Ok((addresses, device)),
            Err(error) if device::errno(&error) == libc::EADDRINUSE => last = Some(error),
            Err(error) => return Err(refused(&name)(error)),
        }
    }
    Err(refused(&name)(last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into())))
}

/// Puts the impairments and the capture around a device: the capture shows what this host sees, so
/// it stands between the host and the bad network.
fn dress(
    device: Box<dyn Device>,
    url: &Url,
    seed: u64,
    clock: &Clock,
) -> Result<Arc<dyn Device>, OpenError> {
    let mut device = device;
    if !url.impairment.is_none() {
        device = Box::new(Impaired::new(device, url.impairment, seed));
    }
    if let Some(path) = &url.pcap {
        let name = path.display().to_string();
        let writer = File::create(path)
            .and_then(|file| PcapngWriter::new(file, "tcpstack", clock.unix_epoch_ns()))
            .map_err(refused(&name))?;
        device = Box::new(Captured::new(device, writer));
    }
    Ok(Arc::from(device))
}
