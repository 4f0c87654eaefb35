"""What it costs that events could be observed while nobody observes: instructions per segment beside a
build in which the question whether anybody does is answered by the compiler.

    events.py --list | events.py       lines of JSON, as `benches/src/turns.rs` prints them

A capture (`pcap=`) needs no such build: it is a device around the device, and where there is none
nothing asks for it.
"""

import json
import os
import subprocess
import sys

from instructions import PROGRAM, count

ROW = "events-off"
WITHOUT = "target/without-events"
SCENARIOS = {"bulk-segments": "instructions_per_segment", "ping-pong": "instructions_per_ping_pong_segment"}


def main():
    if "--list" in sys.argv:
        print(ROW)
        return
    print(f"[1/1] {ROW}: building without events", file=sys.stderr)
    build = ["cargo", "build", "--release", "--quiet", "-p", "tcpstack-benches", "--bin", "bench-instructions"]
    subprocess.run(build, check=True)
    flags = {"RUSTFLAGS": "--cfg tcpstack_without_events", "CARGO_TARGET_DIR": WITHOUT}
    subprocess.run(build, check=True, env=os.environ | flags)
    for name, program in (("off", PROGRAM), ("without", f"{WITHOUT}/release/bench-instructions")):
        for scenario, quantity in SCENARIOS.items():
            found = count(scenario, program)["segment"]
            print(json.dumps({"row": ROW, "contender": name, "quantity": quantity, "values": [found]}))


main()
