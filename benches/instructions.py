"""Counts the instructions of fixed scenarios under callgrind: what noise cannot move.

    scripts/instructions            beside benches/baseline.json; fails above +3 %
    scripts/instructions NAME...    these scenarios alone
    scripts/instructions --write    makes the counts the new baseline

The counts mean something only for one compiler, C library, processor family and valgrind. Where these
are not the baseline's, nothing is compared, and the last line says so; that is not a failure.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from callgrind import ENVIRONMENT

BASELINE = Path("benches/baseline.json")
PROGRAM = "target/release/bench-instructions"
# A scenario may cost so much more than the baseline says.
TOLERANCE = 0.03
# Longer than any scenario takes on a busy machine, in seconds.
LIMIT_S = 600


def said_by(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def machine():
    """All that changes counts but for the source: code generation, and which memcpy glibc picks."""
    rustc = dict(re.findall(r"^(release|host): (.*)$", said_by("rustc", "-vV"), re.M))
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    vendor = re.search(r"^vendor_id\s*:\s*(\S+)$", Path("/proc/cpuinfo").read_text(), re.M)
    wide = [flag for flag in ("avx2", "bmi2") if flags and flag in flags[1].split()]
    return {
        "rustc": rustc["release"],
        "target": rustc["host"],
        "glibc": " ".join(platform.libc_ver()).strip(),
        "valgrind": said_by("valgrind", "--version").strip(),
        "processor": " ".join(([vendor[1]] if vendor else []) + wide),
    }


def count(scenario, program=PROGRAM):
    """Instructions per unit, by unit."""
    command = [shutil.which("valgrind"), "--tool=callgrind", "--callgrind-out-file=/dev/null",
               "--toggle-collect=bench_instructions::counted*", program, scenario]
    # The environment lies on the stack, and moves what is aligned there.
    ran = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True,
                         timeout=LIMIT_S)
    collected = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode or not collected or not int(collected[1]):
        sys.exit(f"{scenario}: nothing was counted\n{ran.stderr}")
    units = json.loads(ran.stdout)
    return {unit: round(int(collected[1]) / done, 3) for unit, done in units.items()}


def counts(scenarios):
    """Scenario -> instructions per unit. They take turns on the processors; their counts don't care."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(scenarios, pool.map(count, scenarios)))


def report(found, earlier):
    """Prints a line for each count; which are above what is allowed."""
    worse = []
    print(f"{'instructions per':42}{'now':>12}{'baseline':>12}{'change':>10}")
    for scenario, units in found.items():
        for unit, now in units.items():
            before = earlier.get(scenario, {}).get(unit)
            shown = f"{before:12.2f}{(now / before - 1) * 100:+9.2f} %" if before else f"{'new':>12}"
            print(f"{unit + ', ' + scenario:42}{now:12.2f}{shown}")
            if before and now > before * (1 + TOLERANCE):
                worse.append(f"{unit}, {scenario}")
    return worse


def main():
    words = sys.argv[1:]
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "tcpstack-benches",
                    "--bin", "bench-instructions"], check=True)
    known = said_by(PROGRAM).split()
    wanted = [word for word in words if word != "--write"] or known
    for name in set(wanted) - set(known):
        sys.exit(f"no scenario is called `{name}`: {', '.join(known)}")
    found, here = counts(wanted), machine()
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {"machine": here, "counts": {}}
    other = [f"{what} is {here[what]}, the baseline's was {baseline['machine'].get(what)}"
             for what in here if here[what] != baseline["machine"].get(what)]
    worse = report(found, {} if other else baseline["counts"])
    if "--write" in words:
        kept = {} if other else baseline["counts"]
        merged = {name: found.get(name) or kept[name] for name in known if name in found or name in kept}
        BASELINE.write_text(json.dumps({"machine": here, "counts": merged}, indent=2) + "\n")
        print(f"{BASELINE} is written")
    elif other:
        print(f"not compared: {'; '.join(other)}")
    elif worse:
        sys.exit(f"above +{TOLERANCE:.0%}: {'; '.join(worse)}\n"
                 "make it cheaper, or say in the commit what is worth it and run scripts/instructions --write")


if __name__ == "__main__":
    main()
