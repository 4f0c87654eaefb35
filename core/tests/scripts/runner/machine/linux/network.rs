//! The network that a script has with the kernel: a namespace, a TUN interface in it, a route to
//! the peer, and the script's knobs, each by the kernel's name or by what the kernel has instead.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::Command;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use tcpstack::device::{Device, TunConfig, TunDevice};
use tcpstack::time::Instant;
use tcpstack::wire::packet::Transmit;

use crate::runner::flow::our_address;
use crate::runner::script::{Argument, Condition, Family, Script, Settings, Subject, What, When};

const INTERFACE: &str = "tcps0";

/// What is the same for every script, so that what the kernel does beside TCP, or differently from
/// computer to computer, stays out of it.
const GROUND: [(&str, &str); 14] = [
    ("ipv6/conf/default/accept_ra", "0"),
    ("ipv6/conf/default/addr_gen_mode", "1"),
    ("ipv6/conf/default/dad_transmits", "0"),
    ("ipv6/conf/default/router_solicitations", "0"),
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    // Sized by the computer's memory.
    ("ipv4/tcp_rmem", "4096 131072 6291456"),
    ("ipv4/tcp_wmem", "4096 16384 4194304"),
    ("ipv4/tcp_max_syn_backlog", "1024"),
    // Nothing is remembered from one connection to the next.
    ("ipv4/tcp_no_metrics_save", "1"),
    // Each segment out of order has its ACK, as RFC 9293 §3.8.6.3 has it.
    ("ipv4/tcp_comp_sack_nr", "0"),
    // Each SYN that is not answered doubles the timeout: RFC 6298 §5.5.
    ("ipv4/tcp_syn_linear_timeouts", "0"),
    // No text is held back until the segment before it has left the computer.
    ("ipv4/tcp_autocorking", "0"),
    ("ipv4/tcp_tso_win_divisor", "0"),
];

/// What a knob is to the kernel.
enum Place {
    /// A file below /proc/sys/net, and by how much its numbers are larger.
    File(&'static str, u64),
    /// An attribute of the route to the peer.
    Route(&'static str),
    /// An option of every socket.
    Socket(i32, Vec<u8>),
}

/// The knobs of scripts that are not by their own names in /proc/sys/net/ipv4.
fn place(knob: &str, value: &str) -> Option<Place> {
    Some(match (knob, value) {
        ("tcp_min_rto_ms", _) => Place::File("ipv4/tcp_rto_min_us", 1000),
        ("tcp_max_rto_ms", _) => Place::File("ipv4/tcp_rto_max_ms", 1),
        ("somaxconn", _) => Place::File("core/somaxconn", 1),
        ("tcp_initial_window", _) => Place::Route("initcwnd"),
        // The knob itself takes only what the computer's administrator has allowed.
        ("tcp_congestion_control", _) => Place::Socket(libc::TCP_CONGESTION, value.into()),
        ("tcp_quickack_start", "0") => Place::Socket(libc::TCP_QUICKACK, vec![0; 4]),
        _ => return None,
    })
}

/// Why a script can't be run on the kernel, if it can't; nothing that lasts more than `longest_us`
/// can, for want of patience.
pub(crate) fn left_out(script: &Script, longest_us: u64) -> Option<String> {
    let knobs = &script.settings.knobs;
    if let Some((knob, _)) = knobs.iter().find(|(knob, value)| is_of_one_size(knob, value)) {
        return Some(format!("{knob} counts memory there, and text here"));
    }
    // Tried out where nobody lives.
    let tried = thread::scope(|scope| {
        let try_all = || {
            leave()?;
            knobs.iter().try_for_each(|(knob, value)| set(knob, value))
        };
        scope.spawn(try_all).join().expect("no knob makes it panic")
    });
    if let Err(refused) = tried {
        return Some(refused);
    }
    let lasts_us = script.steps.iter().fold(0, |now_us, step| match step.when {
        When::At(at) => at,
        When::After(after) | When::Between(_, after) | When::Lasting(after, _) => now_us + after,
        When::Whenever => now_us,
    });
    if lasts_us > longest_us {
        return Some(format!("lasts {} s", lasts_us / 1_000_000));
    }
    script.steps.iter().find_map(|step| match &step.what {
        What::Assert(list) => list.iter().find_map(|Condition { subject, .. }| match subject {
            Subject::Counter(name) => Some(format!("the kernel has no counter {name}")),
            _ => None,
        }),
        What::Call(call) => call
            .arguments
            .contains(&Argument::Words(vec!["SIOCATMARK".into()]))
            .then(|| "SIOCATMARK has no call in safe Rust".into()),
        _ => None,
    })
}

/// What knobs mean to every socket that is opened, as options of level IPPROTO_TCP.
pub(super) fn socket_options(settings: &Settings) -> Vec<(i32, Vec<u8>)> {
    // The default differs from computer to computer.
    let default = ("tcp_congestion_control".to_owned(), "cubic".to_owned());
    let places =
        [&default].into_iter().chain(&settings.knobs).map(|(knob, value)| place(knob, value));
    places
        .filter_map(|place| match place {
            Some(Place::Socket(option, value)) => Some((option, value)),
            _ => None,
        })
        .collect()
}

/// Whether it makes buffers of a size that neither side changes, whose bytes scripts count.
fn is_of_one_size(knob: &str, value: &str) -> bool {
    let sizes: Vec<&str> = value.split(',').collect();
    matches!(knob, "tcp_rmem" | "tcp_wmem") && sizes.iter().all(|size| *size == sizes[0])
}

/// Leaves the thread in a network namespace of its own.
fn leave() -> Result<(), String> {
    unshare(CloneFlags::CLONE_NEWNET)
        .map_err(|error| format!("a network namespace (root can make one): {error}"))
}

/// Sets what is a file of the thread's namespace.
fn set(knob: &str, value: &str) -> Result<(), String> {
    match place(knob, value) {
        None if knob == "ip_default_ttl" => {
            write("ipv6/conf/default/hop_limit", value)?;
            write("ipv4/ip_default_ttl", value)
        }
        None => write(&format!("ipv4/{knob}"), &value.replace(',', " ")),
        Some(Place::File(file, scale)) => {
            let number: u64 = value.parse().map_err(|_| format!("{knob}={value}: no number"))?;
            write(file, &(number * scale).to_string())
        }
        Some(Place::Socket(..) | Place::Route(_)) => Ok(()),
    }
}

fn write(file: &str, value: &str) -> Result<(), String> {
    std::fs::write(format!("/proc/sys/net/{file}"), value)
        .map_err(|error| format!("net/{file} = {value}: {error}"))
}

/// A network of its own, as long as the thread that laid it, its sockets and this live.
pub(super) struct Network {
    device: TunDevice,
    arrived: VecDeque<Vec<u8>>,
}

impl Network {
    pub(super) fn lay(settings: &Settings, family: Family) -> Result<Network, String> {
        leave()?;
        GROUND.iter().try_for_each(|(file, value)| write(file, value))?;
        // Before the interface, which takes its hop limit over.
        settings.knobs.iter().try_for_each(|(knob, value)| set(knob, value))?;
        let prefix_len = if family == Family::V4 { 24 } else { 64 };
        let config = TunConfig {
            mtu: Some(settings.mtu + if family == Family::V6 { 20 } else { 0 }),
            host: vec![(our_address(family), prefix_len)],
            offload: false,
            queues: 1,
            in_bulk: false,
        };
        let device = TunDevice::open(INTERFACE, &config).map_err(|error| error.to_string())?;
        // Segments are made one by one, as they leave.
        ip(family, &["link", "set", "dev", INTERFACE, "gso_max_segs", "1"])?;
        let mut route = vec!["route", "add", "default", "dev", INTERFACE];
        for (knob, value) in &settings.knobs {
            if let Some(Place::Route(attribute)) = place(knob, value) {
                route.extend([attribute, value.as_str()]);
            }
        }
        ip(family, &route)?;
        Ok(Network { device, arrived: VecDeque::new() })
    }

    pub(super) fn set_knob(&self, knob: &str, value: &str) -> Result<(), String> {
        match place(knob, value) {
            Some(Place::Socket(..) | Place::Route(_)) => {
                Err(format!("{knob} is set before the script begins"))
            }
            _ => set(knob, value),
        }
    }

    pub(super) fn input(&self, packet: &[u8]) {
        let transmit = Transmit::complete(packet.to_vec(), None);
        self.device.send(Instant::ZERO, &mut VecDeque::from([transmit])).expect("the TUN device");
    }

    /// The next packet of the kernel's, but for what IPv6 tells the link about itself.
    pub(super) fn output(&mut self) -> Option<Vec<u8>> {
        let mut frames = Vec::new();
        self.device.recv(Instant::ZERO, &mut frames).expect("the TUN device");
        let is_multicast = |packet: &Vec<u8>| packet[0] >> 4 == 6 && packet.get(24) == Some(&0xff);
        let packets = frames.into_iter().map(|frame| frame.into_contiguous().front.to_vec());
        self.arrived.extend(packets.filter(|packet| !is_multicast(packet)));
        self.arrived.pop_front()
    }
}

impl AsFd for Network {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

fn ip(family: Family, arguments: &[&str]) -> Result<(), String> {
    let version = if family == Family::V4 { "-4" } else { "-6" };
    let output = Command::new("ip").arg(version).args(arguments).output();
    let output = output.map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {version} {}: {}", arguments.join(" "), why.trim()))
}
