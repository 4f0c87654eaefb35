"""python -m tcpstack and the examples, as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import PATIENCE_SECONDS, url_of

EXAMPLES = Path(__file__).parents[2] / "examples" / "python"

SERVER = """
import socket, sys
with socket.create_server(("", int(sys.argv[1]))) as server:
    print("ready", type(server).__module__, flush=True)
    connection, address = server.accept()
    with connection:
        print(address[0], connection.recv(100).decode(), flush=True)
        connection.sendall(b"goodbye")
"""

CLIENT = """
import socket, sys, os
with socket.create_connection(("10.7.0.1", int(sys.argv[1]))) as connection:
    connection.sendall(" ".join(sys.argv[1:]).encode())
    print(connection.recv(100).decode(), __name__, os.path.basename(__file__))
"""


def python(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """A Python process whose output is read through a pipe."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


@contextmanager
def running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Leaves no process behind, whatever happens."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def output_of(process: subprocess.Popen[str]) -> str:
    """What a process printed until its end, which has to be a good one."""
    output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    return output


def test_unchanged_scripts_talk_over_the_stack(network: Path, tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "client.py").write_text(CLIENT)
    server = python("-m", "tcpstack", url_of(network, 1), tmp_path / "server.py", "7800")
    with running(server):
        assert server.stdout is not None
        assert server.stdout.readline() == "ready tcpstack\n"
        url = url_of(network, 2)
        with running(python("-m", "tcpstack", url, tmp_path / "client.py", "7800", "x")) as client:
            assert output_of(client) == "goodbye __main__ client.py\n"
        assert output_of(server) == "10.7.0.2 7800 x\n"


def test_a_module_runs_too(network: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("served by python -m")
    arguments = ["-m", "http.server", "--directory", tmp_path, "7801"]
    with running(python("-u", "-m", "tcpstack", url_of(network, 1), *arguments)) as server:
        assert server.stdout is not None
        assert "port 7801" in server.stdout.readline()
        fetch = tmp_path / "fetch.py"
        fetch.write_text(
            "import http.client\n"
            "connection = http.client.HTTPConnection('10.7.0.1', 7801)\n"
            "connection.request('GET', '/')\n"
            "print(connection.getresponse().read().decode())\n"
        )
        with running(python("-m", "tcpstack", url_of(network, 2), fetch)) as client:
            assert output_of(client) == "served by python -m\n"
        server.send_signal(signal.SIGINT)
        assert server.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("arguments", [[], ["unix:/tmp/x"], ["unix:/tmp/x", "-m"]])
def test_too_few_arguments_show_the_usage(arguments: list[str]) -> None:
    with running(python("-m", "tcpstack", *arguments)) as process:
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2
    assert "usage: python -m tcpstack URL script.py" in errors


def test_a_wrong_url_is_one_line_without_a_traceback() -> None:
    with running(python("-m", "tcpstack", "carrier-pigeon:", "script.py")) as process:
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2
    assert errors.startswith("tcpstack: ")
    assert "carrier-pigeon" in errors
    assert "Traceback" not in errors


def test_the_examples_talk_to_each_other(network: Path) -> None:
    with running(python(EXAMPLES / "server.py", 2, 8080, url_of(network, 1))) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "server: listening on port 8080\n"
        client = EXAMPLES / "client.py"
        with running(python(client, "10.7.0.1", 8080, "hi", url_of(network, 2))) as first:
            assert output_of(first) == 'client: received "hi"\n'
        with running(python(client, "10.7.0.1", TCPSTACK=url_of(network, 3))) as second:
            assert output_of(second) == 'client: received "hello"\n'
        assert output_of(server) == "server: received 2 bytes\nserver: received 5 bytes\n"


RECEIVER = """
import socket
with socket.create_server(("", 7802)) as server:
    print("ready", flush=True)
    connection, _ = server.accept()
    print(len(connection.makefile("rb").read()))
"""

FORGETFUL = """
import socket
socket.create_connection(("10.7.0.1", 7802)).sendall(bytes(300_000))
"""

# The interpreter does not take down what a thread still uses. Accepting makes the main thread one
# that has moved bytes itself.
HELD_BY_A_THREAD = """
import socket, threading
server = socket.create_server(("127.0.0.1", 7803))
local = socket.create_connection(("127.0.0.1", 7803))
accepted, _ = server.accept()
connection = socket.create_connection(("10.7.0.1", 7802))
for waiting in (connection, accepted, local):
    threading.Thread(target=waiting.recv, args=(1,), daemon=True).start()
connection.sendall(bytes(300_000))
"""

@pytest.mark.parametrize("program", [FORGETFUL, HELD_BY_A_THREAD])
def test_what_an_open_socket_holds_is_sent_at_exit(
    network: Path, tmp_path: Path, program: str
) -> None:
    (tmp_path / "server.py").write_text(RECEIVER)
    (tmp_path / "client.py").write_text(program)
    server = python("-m", "tcpstack", url_of(network, 1), tmp_path / "server.py")
    with running(server):
        assert server.stdout is not None
        server.stdout.readline()
        url = url_of(network, 2)
        with running(python("-m", "tcpstack", url, tmp_path / "client.py")) as client:
            _, errors = client.communicate(timeout=PATIENCE_SECONDS)
        assert (client.returncode, errors) == (0, "")
        assert output_of(server) == "300000\n"
