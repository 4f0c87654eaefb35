"""Writes docs/PERFORMANCE.md from what a run of the benchmarks left behind.

    report.py target/criterion docs/PERFORMANCE.md
"""

import datetime
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

INTRODUCTION = """\
# Performance

Measured by `make bench` (over TUN it needs root), on {date}: {machine}.

The numbers of one table come from one run, the stacks taking turns, so that their ratios mean more than
they do themselves: another machine, or another hour on a shared one, moves them all. smoltcp is the
crate at version {smoltcp}, release build, with equal MTU and buffers, and without congestion control, as it
comes; tcpstack runs NewReno. Sources: `benches/`.
"""

TUN = """\
## One connection over TUN to the kernel, MTU 1500

Gbit/s of application data, the median of {rounds} runs (least to most), 1 GB each. The peer is a program
with `std::net` sockets in the same network namespace; the time runs from its established connection until
the end of the stream has arrived. *plain* is tcpstack with `offload=off`: each packet crosses by itself and its
checksum is computed here, as smoltcp has it. The last column is tcpstack as it comes, with the kernel's
checksum and segmentation offload (virtio_net_hdr).
"""

MEMORY = """\
## Two hosts in memory, MTU 1500

Gbit/s of application data through one connection in one thread: written from and read into the
application's memory, each packet copied once from host to host with its checksum computed, and verified
on arrival. With super-segments a packet holds up to 64 KB of text, and its checksum is computed too.
"""

RECOVERY = """\
## Bad links, in virtual time

Mbit/s of application data through one connection, handshake included, the mean of {seeds} seeds; both sides
with 4 MiB buffers, MTU 1500, a drop-tail queue of one bandwidth-delay product (50 packets at least) before
the bottleneck. *loss* is even and both ways; *bursts* begin at that share of the data packets and take 4 to
11 of them; *reordering* lets that share of the packets overtake by half a round trip. smoltcp has its
CUBIC on. The simulator's clock is virtual: the same source gives the same table on any machine. The best
of a row is bold.
"""

TAIL = """
A message of 8 segments whose last one is lost, and a byte that answers it: mean round trips from the
first byte written to the answer, of 50 in a row. Without a loss it is 1; a probe after two round trips
makes it about 4, waiting for a timeout of 200 ms or more costs the rest.
"""

RECOVERY_LEFT_OUT = """\
## Bad links, in virtual time

Left out in this run: `target/release/bench-recovery` was not run.
"""

FUNCTIONS = """\
## What single steps cost

| step | time | Gbit/s |
|---|---:|---:|
"""

TUN_LEFT_OUT = """\
## One connection over TUN to the kernel

Left out in this run: it needs root.
"""

DIRECTIONS = {"to_kernel": "stack to kernel", "from_kernel": "kernel to stack"}


def command_output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def machine():
    rust = command_output("rustc", "--version").split()[1]
    return f"{processor()}, {os.cpu_count()} processors, Linux {platform.release()}, Rust {rust}"


def smoltcp_version():
    lock = Path("Cargo.lock").read_text()
    return lock.split('name = "smoltcp"\nversion = "')[1].split('"')[0]


def buffer_name(size):
    return f"{(size + 1) // 1024} KiB"


def benchmarks(directory):
    """(group, function) -> (seconds, Gbit/s or None), as criterion measured them."""
    found = {}
    for path in sorted(directory.glob("**/new/benchmark.json")):
        about = json.loads(path.read_text())
        estimates = json.loads(path.with_name("estimates.json").read_text())
        seconds = estimates["median"]["point_estimate"] / 1e9
        size = (about["throughput"] or {}).get("Bytes")
        rate = size * 8 / seconds / 1e9 if size else None
        found[about["group_id"], about["function_id"]] = (seconds, rate)
    return found


def tun_table(lines):
    rows = {}
    for line in lines:
        rows.setdefault((line["direction"], line["buffer"]), {})[line["stack"]] = line
    text = "\n| direction | buffers | smoltcp | tcpstack, plain | ratio | tcpstack | ratio |\n"
    text += "|---|---:|---:|---:|---:|---:|---:|\n"
    for (direction, buffer), stacks in rows.items():
        base = stacks["smoltcp"]["gbit_per_s"]
        cells = [DIRECTIONS[direction], buffer_name(buffer), spread(stacks["smoltcp"])]
        for stack in ("tcpstack_plain", "tcpstack"):
            cells += [spread(stacks[stack]), f"**{stacks[stack]['gbit_per_s'] / base:.1f}**"]
        text += "| " + " | ".join(cells) + " |\n"
    return text


def spread(line):
    return f"{line['gbit_per_s']:.1f} ({line['least']:.1f} to {line['most']:.1f})"


def memory_table(found):
    text = "\n| buffers | smoltcp | tcpstack | ratio | tcpstack, super-segments | ratio |\n"
    text += "|---:|---:|---:|---:|---:|---:|\n"
    groups = {group for group, _ in found if group.startswith("in_memory/")}
    for group in sorted(groups, key=lambda group: int(group.rpartition("_")[2])):
        base = found[group, "smoltcp"][1]
        cells = [buffer_name(int(group.rpartition("_")[2])), f"{base:.1f}"]
        for name in ("tcpstack", "tcpstack_super"):
            rate = found[group, name][1]
            cells += [f"{rate:.1f}", f"**{rate / base:.2f}**"]
        text += "| " + " | ".join(cells) + " |\n"
    return text


CONTENDERS = ["smoltcp", "reno", "cubic", "bbr"]


def header_row(*columns):
    titles = list(columns) + ["smoltcp"] + [f"tcpstack, {name}" for name in CONTENDERS[1:]]
    return f"\n| {' | '.join(titles)} |\n|{'---:|' * len(titles)}\n"


def recovery_table(lines):
    rows = {}
    for line in lines:
        key = (line["rate"] // 1_000_000, line["rtt_ms"], line["trouble"])
        rows.setdefault(key, {})[line["contender"]] = line["mbit_per_s"]
    text = header_row("Mbit/s", "RTT", "trouble")
    for (rate, rtt_ms, trouble), cells in rows.items():
        best = max(cells.values())
        shown = [f"**{cells[name]:.1f}**" if cells[name] == best else f"{cells[name]:.1f}" for name in CONTENDERS]
        text += f"| {rate} | {rtt_ms} ms | {trouble} | {' | '.join(shown)} |\n"
    return text


def tail_table(lines):
    rows = {}
    for line in lines:
        rows.setdefault(line["rtt_ms"], {})[line["contender"]] = line["rtts"]
    text = header_row("RTT")
    for rtt_ms, cells in rows.items():
        text += f"| {rtt_ms} ms | {' | '.join(f'{cells[name]:.1f}' for name in CONTENDERS)} |\n"
    return text


def recovery_part(path):
    if not path.exists():
        return RECOVERY_LEFT_OUT
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    goodput = [line for line in lines if "trouble" in line]
    tail = [line for line in lines if "tail" in line]
    seeds = goodput[0]["seeds"]
    return RECOVERY.format(seeds=seeds) + recovery_table(goodput) + TAIL + tail_table(tail)


def function_rows(found):
    text = ""
    for (group, name), (seconds, rate) in found.items():
        if not group.startswith("in_memory/"):
            shown = f"{rate:.1f}" if rate else ""
            text += f"| {group} {name} | {duration(seconds)} | {shown} |\n"
    return text


def duration(seconds):
    for unit, size in (("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 1e-9:.1f} ns"


def main():
    measured, report = Path(sys.argv[1]), Path(sys.argv[2])
    found = benchmarks(measured)
    tun = measured / "tun.jsonl"
    date = datetime.date.today().isoformat()
    parts = [INTRODUCTION.format(date=date, machine=machine(), smoltcp=smoltcp_version())]
    if tun.exists():
        lines = [json.loads(line) for line in tun.read_text().splitlines()]
        parts.append(TUN.format(rounds=lines[0]["rounds"]) + tun_table(lines))
    else:
        parts.append(TUN_LEFT_OUT)
    parts.append(MEMORY + memory_table(found))
    parts.append(recovery_part(measured / "recovery.jsonl"))
    parts.append(FUNCTIONS + function_rows(found))
    report.write_text("\n".join(parts))


main()
