"""The C API and the Python package in turn, each between two processes over `unix:`.

    measure.py --list | measure.py       a line of JSON for each, as `benches/src/turns.rs` prints them

`scripts/bench` has built target/bench-link/bulk and target/venv before.
"""

import json
import subprocess
import sys
import tempfile

ROW = "python-bulk"
ROUNDS = 5
AMOUNT = 1_000_000_000
LIMIT_S = 60

PYTHON = ["target/venv/bin/python", "benches/link/bulk.py"]

# The program, and the words at the end of its command line.
PROGRAMS = {
    "c": (["target/bench-link/bulk"], []),
    "python": (PYTHON, []),
    "python_socket": (PYTHON, ["socket"]),
}


def gbit_per_s(program, words):
    """What the receiver measures."""
    with tempfile.TemporaryDirectory(prefix="tcpstack-bench-") as network:
        def url(number):
            return f"unix:{network}?addr=10.7.0.{number}/24"

        command = ["timeout", str(LIMIT_S), *program]
        with subprocess.Popen([*command, "receive", url(1), *words], stdout=subprocess.PIPE, text=True) as receiver:
            if receiver.stdout.readline().strip() != "listening":
                sys.exit(f"{program}: the receiver does not listen")
            subprocess.run([*command, "send", url(2), str(AMOUNT), *words], check=True)
            return float(receiver.stdout.readline())


def main():
    if "--list" in sys.argv:
        print(ROW)
        return
    values = {name: [] for name in PROGRAMS}
    for number in range(1, ROUNDS + 1):
        for name, program in PROGRAMS.items():
            print(f"[{number}/{ROUNDS}] {ROW}, {name}", file=sys.stderr)
            values[name].append(gbit_per_s(*program))
    for name, found in values.items():
        print(json.dumps({"row": ROW, "contender": name, "quantity": "gbit_per_s", "values": found}))


main()
