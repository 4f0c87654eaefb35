"""Programs that know nothing of this TCP run over it inside patched()."""

from __future__ import annotations

import http.client
import http.server
import os
import socket
import socketserver
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import tcpstack
from conftest import PATIENCE_SECONDS


@pytest.fixture
def patched(alice: tcpstack.Stack) -> Iterator[tcpstack.Stack]:
    """alice is what socket.socket means."""
    with tcpstack.patched(alice):
        yield alice


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """The standard library's file server, without its log."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web(patched: tcpstack.Stack, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A ThreadingHTTPServer with one large file; its address."""
    (tmp_path / "file.bin").write_bytes(os.urandom(2_000_000))
    handler = partial(QuietHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 7500), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield ("127.0.0.1", 7500)
        server.shutdown()
        thread.join()


def test_http_server_and_client_run_unchanged(
    web: tuple[str, int], tmp_path: Path, patched: tcpstack.Stack
) -> None:
    connection = http.client.HTTPConnection(*web, timeout=PATIENCE_SECONDS)
    try:
        for _ in range(3):
            connection.request("GET", "/file.bin")
            answer = connection.getresponse()
            assert answer.status == 200
            assert answer.read() == (tmp_path / "file.bin").read_bytes()
        assert any(row.local == web for row in patched.connections())
    finally:
        connection.close()


def test_urllib_runs_unchanged(web: tuple[str, int], tmp_path: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open("http://127.0.0.1:7500/file.bin", timeout=PATIENCE_SECONDS) as answer:
        assert answer.read() == (tmp_path / "file.bin").read_bytes()


def test_socketserver_runs_unchanged(patched: tcpstack.Stack) -> None:
    class Echo(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(self.rfile.readline())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 7501), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        with socket.create_connection(("127.0.0.1", 7501), PATIENCE_SECONDS) as client:
            client.sendall(b"echo\n")
            assert client.makefile("rb").read() == b"echo\n"
        server.shutdown()
        thread.join()


def test_everything_is_put_back(alice: tcpstack.Stack) -> None:
    before = (socket.socket, socket.create_connection, socket.create_server)
    tls = ssl.SSLContext.sslsocket_class
    with pytest.raises(ZeroDivisionError), tcpstack.patched(alice):
        assert socket.socket is tcpstack.socket
        assert ssl.SSLContext.sslsocket_class is tcpstack.SSLSocket
        with tcpstack.patched():
            assert tcpstack.default_stack() is alice
        assert socket.socket is tcpstack.socket
        raise ZeroDivisionError
    assert before == (socket.socket, socket.create_connection, socket.create_server)
    assert ssl.SSLContext.sslsocket_class is tls


def test_other_sockets_stay_the_kernels(patched: tcpstack.Stack) -> None:
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"kernel")
        assert right.recv(10) == b"kernel"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
        datagram.bind(("127.0.0.1", 0))


def test_a_url_opens_a_stack_for_the_block(network: Path) -> None:
    with tcpstack.patched(f"unix:{network}?addr=10.7.0.6/24") as stack:
        assert stack is not None
        assert tcpstack.default_stack() is stack
    assert stack.closed
