"""Writes docs/PERFORMANCE.md from what a run of the benchmarks left behind.

    report.py target/criterion docs/PERFORMANCE.md

Each part of the document says when, on what and by which command it was measured. A part that this
run has not measured stays as it is.
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

What tcpstack makes of the time, the memory and the links it is given, beside smoltcp in the same run. Each
part says when and by which command it was measured; `make bench` measures all (over TUN it needs root).

The numbers of one table come from one run, the stacks taking turns, so that their ratios mean more than
they do themselves: another machine, or another hour on a shared one, moves them all, but for what is
measured in virtual time. smoltcp is the crate at version {smoltcp}, release build, with equal MTU and
buffers. Sources: `benches/`.
"""

STAMP = "Measured by `{command}` on {date}: {machine}.\n"

TUN = """\
Gbit/s of application data, the median of {rounds} runs (least to most), 1 GB each. The peer is a program
with `std::net` sockets in the same network namespace; the time runs from its established connection until
the end of the stream has arrived. *plain* is tcpstack with `offload=off`: each packet crosses by itself and its
checksum is computed here, as smoltcp has it. The last column is tcpstack as it comes, with the kernel's
checksum and segmentation offload (virtio_net_hdr).
"""

MEMORY = """\
Gbit/s of application data through one connection in one thread: written from and read into the
application's memory, each packet copied once from host to host with its checksum computed, and verified
on arrival. With super-segments a packet holds up to 64 KB of text, and its checksum is computed too.
"""

RECOVERY = """\
Mbit/s of application data through one connection, handshake included, the mean of {seeds} seeds; as much is
moved as the bottleneck carries in ten seconds. Both sides have buffers of 4 MiB and an MTU of 1500;
smoltcp has its CUBIC on. The clock is virtual: the same source gives the same table on any machine.

| link | |
|---|---|
| all | a bottleneck of so many Mbit/s each way before which a queue holds one bandwidth-delay product, 50 packets at least, and then half of the round trip as delay |
| loss | each packet is lost with this probability, both ways, beside what overflows the queue |
| bursts | runs of 4 to 11 data packets are lost; each packet begins one with this probability |
| reordering | nothing is lost; each packet, both ways, overtakes by half a round trip with this probability |
| tail | only the delay; of each message the last segment is lost, once |

*Ahead* of smoltcp is a control whose cell is better than smoltcp's in the same row; the others are marked
with an exclamation mark. The best of a row is bold.
"""

TAIL = """
A message of 8 segments whose last one is lost, and a byte that answers it: mean round trips from the
first byte written to the answer, of 50 in a row, so that each pays too for the window that those before it
have lost. Without a loss and with the window open it is 1.
"""

FAIRNESS = """\
Two flows of the same control share a bottleneck of {rate} Mbit/s, {rtt_ms} ms of round trip and a drop-tail queue
of so many bandwidth-delay products. The second begins two seconds after the first, a little more with
each seed; a minute later each is measured for 160 seconds, since the shares of CUBIC swing slowly. Mbit/s
of application data, the mean of {seeds} seeds, and the lesser of the two as part of the greater in the
worst seed. Virtual time too.
"""

FUNCTIONS = """\
| step | time | Gbit/s |
|---|---:|---:|
"""

LEFT_OUT = "Not measured yet.\n"

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


def is_better(line, base):
    """Fewer round trips, or more Mbit/s."""
    if "rtts" in line:
        return line["rtts"] < base["rtts"]
    return line["mbit_per_s"] > base["mbit_per_s"]


def cell(line, row):
    """A contender's figure: the best of its row bold, one behind smoltcp's marked."""
    shown = f"{line.get('mbit_per_s', line.get('rtts')):.1f}"
    base = row["smoltcp"]
    if not any(is_better(other, line) for other in row.values()):
        shown = f"**{shown}**"
    is_behind = line is not base and not is_better(line, base)
    return shown + " !" if is_behind else shown


def rows_of(lines, key):
    """The lines of each row by contender."""
    rows = {}
    for line in lines:
        rows.setdefault(key(line), {})[line["contender"]] = line
    return rows


def cells_of(row):
    return " | ".join(cell(row[name], row) for name in CONTENDERS)


def recovery_part(lines):
    goodput = [line for line in lines if "trouble" in line]
    by_link = rows_of(goodput, lambda line: (line["rate"] // 1_000_000, line["rtt_ms"], line["trouble"]))
    by_rtt = rows_of([line for line in lines if "tail" in line], lambda line: line["rtt_ms"])
    text = RECOVERY.format(seeds=goodput[0]["seeds"]) + header_row("Mbit/s", "RTT", "trouble")
    for (rate, rtt_ms, trouble), row in by_link.items():
        text += f"| {rate} | {rtt_ms} ms | {trouble} | {cells_of(row)} |\n"
    text += TAIL + header_row("RTT")
    for rtt_ms, row in by_rtt.items():
        text += f"| {rtt_ms} ms | {cells_of(row)} |\n"
    rows = [*by_link.values(), *by_rtt.values()]
    counts = []
    for name in CONTENDERS[1:]:
        ahead = sum(is_better(row[name], row["smoltcp"]) for row in rows)
        counts.append(f"{name} in {ahead} of {len(rows)} cells")
    return text + f"\nAhead of smoltcp: {', '.join(counts)}.\n"


def fairness_part(lines):
    lines = [line for line in lines if "fairness" in line]
    about = lines[0]
    text = FAIRNESS.format(rate=about["rate"] // 1_000_000, rtt_ms=about["rtt_ms"], seeds=about["seeds"])
    text += "\n| flows | queue | first | second | sum | least share |\n|---|---:|---:|---:|---:|---:|\n"
    for line in lines:
        first, second = line["first"], line["second"]
        text += (f"| {line['contender']} and {line['contender']} | {line['queue']} | {first:.2f} | {second:.2f} | "
                 f"{first + second:.2f} | {line['worst'] * 100:.0f} % |\n")
    return text


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


def json_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def measured_parts(directory):
    """Heading, command and text of each part; without a text it was not measured."""
    found = benchmarks(directory)
    tun = json_lines(directory / "tun.jsonl")
    recovery = json_lines(directory / "recovery.jsonl")
    memory = any(group.startswith("in_memory/") for group, _ in found)
    functions = function_rows(found)
    links = "scripts/bench recovery"
    return [
        ("One connection over TUN to the kernel, MTU 1500", "make bench",
         tun and TUN.format(rounds=tun[0]["rounds"]) + tun_table(tun)),
        ("Two hosts in memory, MTU 1500", "make bench", memory and MEMORY + memory_table(found)),
        ("Bad links, in virtual time", links, recovery and recovery_part(recovery)),
        ("Two flows on one bottleneck, in virtual time", links, recovery and fairness_part(recovery)),
        ("What single steps cost", "make bench", functions and FUNCTIONS + functions),
    ]


def earlier_parts(report):
    """What the document has under each heading."""
    if not report.exists():
        return {}
    parts = report.read_text().split("\n## ")[1:]
    return {heading: text.lstrip("\n") for heading, _, text in (part.partition("\n") for part in parts)}


def main():
    measured, report = Path(sys.argv[1]), Path(sys.argv[2])
    earlier = earlier_parts(report)
    date = datetime.date.today().isoformat()
    document = INTRODUCTION.format(smoltcp=smoltcp_version())
    for heading, command, text in measured_parts(measured):
        if text:
            text = STAMP.format(command=command, date=date, machine=machine()) + "\n" + text
        else:
            text = earlier.get(heading, LEFT_OUT)
        document += f"\n## {heading}\n\n{text.rstrip()}\n"
    report.write_text(document)


main()
