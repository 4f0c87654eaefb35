"""A forked child uses its parent's connections; the bytes move through the parent's engine."""

from __future__ import annotations

import os
import socket
import socketserver
import threading

import tcpstack
from conftest import PATIENCE_SECONDS, Pair


def in_child(work: object) -> int:
    """Runs `work` in a forked child; its exit status."""
    assert callable(work)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_child_reads_and_writes_its_parents_connection(pair: Pair) -> None:
    far, near = pair
    near.sendall(b"to the child")

    def child() -> None:
        assert far.recv(100) == b"to the child"
        far.sendall(b"from the child")
        far.close()

    assert in_child(child) == 0
    assert near.recv(100) == b"from the child"
    far.sendall(b"the parent still has it")
    assert near.recv(100) == b"the parent still has it"


def test_a_childs_shutdown_reaches_the_peer(pair: Pair) -> None:
    far, near = pair

    def child() -> None:
        far.sendall(b"last words")
        far.shutdown(socket.SHUT_WR)

    assert in_child(child) == 0
    assert near.recv(100) == b"last words"
    assert near.recv(100) == b""


def test_a_forking_server_runs_unchanged(alice: tcpstack.Stack) -> None:
    class Shout(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(self.rfile.readline().upper())

    with tcpstack.patched(alice):
        with socketserver.ForkingTCPServer(("127.0.0.1", 7900), Shout) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            for _ in range(3):
                with socket.create_connection(("127.0.0.1", 7900), PATIENCE_SECONDS) as client:
                    client.sendall(b"hear me\n")
                    assert client.makefile("rb").read() == b"HEAR ME\n"
            server.shutdown()
            thread.join()
