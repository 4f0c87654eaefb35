"""A network namespace with this stack at one end of a TUN interface and the kernel at the other.

The kernel's end is 10.77.0.1 and fd77::1, the stack's 10.77.0.2 and fd77::2. A namespace and all
that runs in it are gone when its `with` block ends, however it ends.
"""

import hashlib
import itertools
import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "target/venv/bin/python"
HTTP_FILE = ROOT / "target/examples/http_file"
FETCH = Path(__file__).with_name("fetch.py")

KERNEL = {4: "10.77.0.1", 6: "fd77::1"}
STACK = {4: "10.77.0.2", 6: "fd77::2"}

#: Nothing here takes so long; what hangs ends as a failure.
PATIENCE_S = 120

_numbers = itertools.count()


def url(**keys):
    """The URL of the stack, with these keys added (`offload="off"`)."""
    addresses = [f"addr={STACK[4]}/24", f"addr={STACK[6]}/64"]
    addresses += [f"host={KERNEL[4]}/24", f"host={KERNEL[6]}/64"]
    return "tun:tcps0?" + "&".join(addresses + [f"{key}={value}" for key, value in keys.items()])


def in_url(address):
    """The address as it stands in an http URL."""
    return f"[{address}]" if ":" in address else address


def random_file(directory, size):
    """A file of `size` random bytes and its SHA-256."""
    path = Path(directory) / "data.bin"
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for at in range(0, size, 1 << 20):
            block = os.urandom(min(1 << 20, size - at))
            digest.update(block)
            file.write(block)
    return path, digest.hexdigest()


def sha256_of(path):
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Namespace:
    """A network namespace, a directory for files, and the programs started in it."""

    def __init__(self):
        self.name = f"tcps-test-{os.getpid()}-{next(_numbers)}"
        self._programs = []

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self._directory = tempfile.TemporaryDirectory(prefix="tcps-test-")
        self.directory = Path(self._directory.name)
        self.run("ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for program in self._programs:
            program.kill()
            program.wait()
            program.stdout.close()
        self._directory.cleanup()
        subprocess.run(["ip", "netns", "delete", self.name], check=True)

    def _inside(self, command):
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def run(self, *command):
        """Runs a program to its end; what it printed. A failure is an AssertionError that says all."""
        try:
            done = subprocess.run(
                self._inside(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=PATIENCE_S,
            )
        except subprocess.TimeoutExpired as expired:
            # How far the kernel's side got says which side stands still.
            sockets = subprocess.run(self._inside(["ss", "-tinmo"]), stdout=subprocess.PIPE, text=True)
            raise AssertionError(f"{command} hangs: {expired.output}\n{sockets.stdout}") from None
        assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout}"
        return done.stdout

    def sysctl(self, **settings):
        """Sets the kernel's TCP knobs of this namespace: `sysctl(tcp_sack=0)`."""
        for name, value in settings.items():
            self.run("sysctl", "-q", "-w", f"net.ipv4.{name}={value}")

    def start(self, *command):
        """Starts a program, and waits for its first line: it is ready then."""
        program = subprocess.Popen(
            self._inside(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._programs.append(program)
        line = program.stdout.readline()
        assert line, f"{command} ended at once with status {program.wait()}"
        return program

    def wait(self, program):
        """Waits for a program's own end; its exit status."""
        try:
            return program.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{program.args} does not end") from None
