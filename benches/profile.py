"""Where the processor's time goes for one write and one read of 64 KiB over TUN, and cache misses per packet.

    profile.py       as root; lines of JSON to standard output, flame graphs to docs/

The process that is looked into is the server of `bench-tun`, the peer the kernel. It runs three times:
by itself, for its processor time inside and outside the kernel; under strace, which counts the system
calls; under callgrind, for what it does between them, and what processor time each of them takes in the
kernel. The kernel's time is shared out by these two: so many calls, each so dear.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from callgrind import ENVIRONMENT, stacks
from flame import svg

PROGRAM = "target/release/bench-tun"
CALL = 64 * 1024
ROUNDS = 5
LIMIT_S = "240"
# Callers that callgrind tells apart.
DEPTH = 14

# Modules of the stack, and what each is called in the table; the first that fits.
GROUPS = [
    ("tcpstack::wire", "headers and checksums (`wire`)"),
    ("tcpstack::tcp", "the protocol (`tcp`)"),
    ("tcpstack::event", "the protocol (`tcp`)"),
    ("tcpstack::host", "tables, timers, demux (`host`)"),
    ("tcpstack::device", "packets to and from TUN (`device`)"),
    ("tcpstack::net", "calls, locks and waiting (`net`)"),
]
COPY = re.compile(r"mem(p?cpy|move|set)")
# Functions that make a system call under another name: the last call of the device's, and by `syscall`
# Rust's locks wait.
CALLED = {"tcpstack::device::tun::TunDevice::recv": "read", "tcpstack::device::packet_io::write": "writev",
          "syscall": "futex"}
# A system call that is made more seldom per call costs nothing that one could see.
SELDOM = 0.01
ALLOCATOR = re.compile(r"^_?_?(int_)?(malloc|free|realloc|calloc|cfree)|^malloc|_int_|unlink_chunk|sysmalloc")


def in_namespace(*command):
    """Runs the server in a network namespace of its own; what it and its client printed."""
    name = f"tcps-bench-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        ran = subprocess.run(["timeout", "--kill-after=5", LIMIT_S, "ip", "netns", "exec", name, *command],
                             capture_output=True, text=True, check=True)
        return dict(line.split(" ", 1) for line in ran.stdout.splitlines())
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


def serve(row):
    return [PROGRAM, "serve", row, "tcpstack_observed"]


def processor_time(row):
    """Microseconds of a call inside the process and inside the kernel: those of the median round."""
    rounds = []
    for _ in range(ROUNDS):
        said = in_namespace(*serve(row))
        calls = int(said["bytes"]) / CALL
        rounds.append((float(said["user_s"]) / calls * 1e6, float(said["system_s"]) / calls * 1e6, calls))
    return sorted(rounds, key=lambda round: round[0] + round[1])[ROUNDS // 2]


def system_calls(row, directory):
    """System call -> times called, without the client's and the wait for its end."""
    summary = Path(directory, "strace")
    in_namespace("strace", "-f", "-b", "execve", "-c", "-o", str(summary), *serve(row))
    found = {}
    for line in summary.read_text().splitlines():
        words = line.split()
        if len(words) >= 5 and re.fullmatch(r"[\d.]+", words[0]) and words[-1] not in ("total", "wait4"):
            found[words[-1]] = int(words[3])
    return found


def call_costs(written):
    """System call -> nanoseconds of processor time that one takes."""
    times, counts = (by_function(stacks(written, {event: 1})) for event in ("sysCpuTime", "sysCount"))
    return {name: times[name] / count for name, count in counts.items() if count}


def by_function(found):
    sums = Counter()
    for stack, cost in found.items():
        sums[CALLED.get(stack[-1], stack[-1])] += cost
    return sums


def group_of(stack):
    """What the innermost function of a stack is part of."""
    if COPY.search(stack[-1]):
        return "copying bytes"
    if ALLOCATOR.search(stack[-1]):
        return "the allocator"
    for name in reversed(stack):
        for prefix, group in GROUPS:
            if name.startswith(prefix):
                return group
    return "all else: the program, threads, start and end"


def under_callgrind(row, directory):
    """Cycles of each call stack, and what a system call costs."""
    written = Path(directory, "callgrind")
    tunables = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
    in_namespace("env", *tunables, "valgrind", "--tool=callgrind", "--cache-sim=yes",
                 "--collect-systime=nsec", f"--separate-callers={DEPTH}",
                 f"--callgrind-out-file={written}", *serve(row))
    return stacks(written), call_costs(written)


def cache_misses():
    """Per segment, as callgrind's model of this machine's caches has them: scenario -> level -> misses."""
    found = {}
    for scenario in ("bulk-segments", "ping-pong"):
        command = [shutil.which("valgrind"), "--tool=callgrind", "--cache-sim=yes", "--callgrind-out-file=/dev/null",
                   "--toggle-collect=bench_instructions::counted*", "target/release/bench-instructions", scenario]
        ran = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
        names = re.search(r"Events\s*: (.*)", ran.stderr)[1].split()
        collected = map(int, re.search(r"Collected : (.*)", ran.stderr)[1].split())
        # Zeros at the end are not printed; a Counter has them.
        counts = Counter(dict(zip(names, collected)))
        segments = json.loads(ran.stdout)["segment"]
        found[scenario] = {
            "instructions": counts["Ir"] / segments,
            "first level, instructions": counts["I1mr"] / segments,
            "first level, data": (counts["D1mr"] + counts["D1mw"]) / segments,
            "last level": (counts["ILmr"] + counts["DLmr"] + counts["DLmw"]) / segments,
        }
    return found


def look_into(name, row):
    """One line of JSON, and one flame graph."""
    user_us, system_us, calls = processor_time(row)
    with tempfile.TemporaryDirectory(prefix="tcpstack-bench-") as directory:
        made = system_calls(row, directory)
        found, costs = under_callgrind(row, directory)
    calls_made = {name: (count, count * costs.get(name, 0) / 1e9 if count / calls >= SELDOM else 0)
                  for name, count in made.items()}
    groups = Counter()
    for stack, cost in found.items():
        groups[group_of(stack)] += cost
    title = f"tcpstack: a 64 KiB {name} over TUN, outside the kernel"
    Path("docs", f"flame-{name}.svg").write_text(svg(found, title, f"estimated cycles for {calls:.0f} calls"))
    print(json.dumps({"call": name, "user_us": user_us, "system_us": system_us, "calls": calls,
                      "cycles": dict(groups), "system_calls": calls_made}))


def main():
    for number, (name, row) in enumerate([("write", "profile-write"), ("read", "profile-read")], 1):
        print(f"[{number}/3] profile, {name}", file=sys.stderr)
        look_into(name, row)
    print("[3/3] profile, cache misses", file=sys.stderr)
    print(json.dumps({"cache_misses": cache_misses()}))


main()
