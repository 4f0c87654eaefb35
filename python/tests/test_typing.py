"""The types are complete, and true to the compiled module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

PROGRAM = """
import socket
import tcpstack

stack: tcpstack.Stack = tcpstack.Stack("unix:")
plain: socket.socket = stack.socket()
stream: tcpstack.TcpStream = tcpstack.TcpStream.connect(("10.7.0.1", 80), stack=stack, timeout=1.5)
size: int = stream.recv_into(bytearray(10))
data: bytes = stream.recv(10)
for child, address in tcpstack.TcpListener.bind(("", 80)):
    child.sendall(memoryview(data))
state: str = tcpstack.info(stream).state
with tcpstack.patched(stack):
    pass
for event in stack.events():
    print(event["kind"])
stack.sysctl["tcp_delack_ms"] = 20
"""

MISTAKES = """
import tcpstack

tcpstack.TcpStream.connect("10.7.0.1:80")
tcpstack.Stack(7)
"""


def check(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a module of mypy's."""
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent)


def test_a_program_that_uses_it_passes_mypy_strict(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    result = check("mypy", "--strict", tmp_path / "program.py")
    assert result.returncode == 0, result.stdout


def test_mistakes_are_found(tmp_path: Path) -> None:
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    result = check("mypy", "--strict", tmp_path / "mistakes.py")
    assert result.stdout.count("error:") == 2, result.stdout


def test_the_stubs_agree_with_the_compiled_module() -> None:
    result = check("mypy.stubtest", "tcpstack", "--concise")
    assert result.returncode == 0, result.stdout
