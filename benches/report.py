"""Writes docs/PERFORMANCE.md from what a run of the benchmarks left behind.

    report.py DIRECTORY DOCUMENT COMMAND

What was measured is kept with its date, machine and command in benches/measured.json, so that a part
that this run has not measured stays, and says of when it is. What is written by hand stays too: all
from the heading `What was changed, and what it gave` on.
"""

import datetime
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import growth
import links
import profile_tables
import targets

KEPT = Path("benches/measured.json")

INTRODUCTION = """\
# Performance

What tcpstack makes of the time, the memory and the links it is given, beside what one would take instead in
the same run. `make bench` measures all and writes this (what goes over TUN needs root); `scripts/bench ROW`
measures one row and prints it, `scripts/bench --list` names them. Sources: `benches/`. What was changed for speed,
and why some of it is not reached, is told at the end.

The contenders of a row take turns, so that a ratio is one of the same round and means more than the values
do themselves: another machine, or another hour on a shared one, moves them all. smoltcp is the crate at
version {smoltcp}, release build, without congestion control, as it comes. That nothing gets slower unseen is
the matter of `scripts/instructions`, which counts instructions and is part of `make test`.
"""

LOG = "What was changed, and what it gave"


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


def steps(directory):
    """What criterion measured: name, seconds and Gbit/s (or None) of each step."""
    found = []
    for path in sorted(directory.glob("criterion/**/new/benchmark.json")):
        about = json.loads(path.read_text())
        estimates = json.loads(path.with_name("estimates.json").read_text())
        seconds = estimates["median"]["point_estimate"] / 1e9
        size = (about["throughput"] or {}).get("Bytes")
        found.append({"name": f"{about['group_id']} {about['function_id']}", "seconds": seconds,
                      "gbit_per_s": size * 8 / seconds / 1e9 if size else None})
    return found


def duration(seconds):
    for unit, size in (("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 1e-9:.1f} ns"


def steps_table(found):
    text = "| step | time | Gbit/s |\n|---|---:|---:|\n"
    for step in found:
        rate = f"{step['gbit_per_s']:.1f}" if step["gbit_per_s"] else ""
        text += f"| {step['name']} | {duration(step['seconds'])} | {rate} |\n"
    return text


def json_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def rows_of(lines):
    """Row -> contender -> quantity -> values."""
    rows = {}
    for line in lines:
        rows.setdefault(line["row"], {}).setdefault(line["contender"], {})[line["quantity"]] = line["values"]
    return rows


def measured_now(directory):
    """All parts of this run, by name."""
    parts = {f"row {name}": values for name, values in rows_of(json_lines(directory / "rows.jsonl")).items()}
    others = {
        "links": json_lines(directory / "recovery.jsonl"),
        "steps": steps(directory),
        "profile": json_lines(directory / "profile.jsonl"),
    }
    return parts | {name: found for name, found in others.items() if found}


def stamp(parts):
    """When, where and by which command: one line for all parts that have it in common."""
    stamps = {(part["command"], part["date"], part["machine"]) for part in parts}
    return "".join(f"Measured by `{command}` on {date}: {where}.\n" for command, date, where in sorted(stamps))


def sections(kept):
    """Heading and text of each part; None where nothing is kept of it."""
    rows = {name.removeprefix("row "): part for name, part in kept.items() if name.startswith("row ")}
    compared = {name: part for name, part in rows.items() if name != growth.ROW}
    grown, profile, steps_kept, over_links = (kept.get(name) for name in
                                              (f"row {growth.ROW}", "profile", "steps", "links"))
    yield "What is to be reached", compared and stamp(compared.values()) + "\n" + targets.table(compared)
    yield "The values themselves", compared and targets.values_table(compared)
    yield "Growth", grown and stamp([grown]) + "\n" + growth.section(grown["found"], rows.get("tun-queues"))
    yield "Where the time goes", profile and stamp([profile]) + "\n" + profile_tables.section(
        profile["found"], rows.get("tun-lock-wait"))
    yield "Bad links, in virtual time", over_links and (
        stamp([over_links]) + "\n" + links.recovery_part(over_links["found"]))
    yield "Two flows on one bottleneck, in virtual time", over_links and (
        stamp([over_links]) + "\n" + links.fairness_part(over_links["found"]))
    yield "What single steps cost", steps_kept and stamp([steps_kept]) + "\n" + steps_table(steps_kept["found"])


def earlier_sections(document):
    """What the document has under each heading."""
    parts = document.read_text().split("\n## ")[1:] if document.exists() else []
    return {heading: text for heading, _, text in (part.partition("\n") for part in parts)}


def written_by_hand(document):
    """The log, to the document's end."""
    text = document.read_text() if document.exists() else ""
    _, found, log = text.partition(f"\n## {LOG}\n")
    return log.strip() if found else "| date | what | before | after | measured by |\n|---|---|---:|---:|---|"


def main():
    directory, document, command = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    about = {"date": datetime.date.today().isoformat(), "command": command, "machine": machine()}
    for name, found in measured_now(directory).items():
        kept[name] = about | {"found": found}
    KEPT.write_text(json.dumps(kept, separators=(",", ":")).replace('},"', '},\n"') + "\n")
    text = INTRODUCTION.format(smoltcp=smoltcp_version())
    earlier = earlier_sections(document)
    for heading, part in sections(kept):
        part = part or earlier.get(heading)
        if part:
            text += f"\n## {heading}\n\n{part.strip()}\n"
    text += f"\n## {LOG}\n\n{written_by_hand(document)}\n"
    document.write_text(text)


main()
