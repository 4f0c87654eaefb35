"""Ctrl-C ends a call that waits; a handler that returns does not (PEP 475)."""

from __future__ import annotations

import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

import tcpstack
from conftest import PATIENCE_SECONDS, Background, Pair

DELAY_SECONDS = 0.2


@contextmanager
def signal_soon(number: signal.Signals, times: int = 1) -> Iterator[None]:
    """Sends this thread a signal in a moment, while it waits."""
    target = threading.get_ident()

    def send() -> None:
        for _ in range(times):
            time.sleep(DELAY_SECONDS)
            signal.pthread_kill(target, number)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def interrupted(call: Callable[[], object]) -> None:
    """Expects Ctrl-C to come through `call` soon after it was pressed."""
    begin = time.monotonic()
    with signal_soon(signal.SIGINT), pytest.raises(KeyboardInterrupt):
        call()
    assert time.monotonic() - begin < 5


def test_ctrl_c_ends_accept(alice: tcpstack.Stack) -> None:
    with tcpstack.create_server(("", 0), stack=alice) as server:
        interrupted(server.accept)
        server.settimeout(60)
        interrupted(server.accept)
    with tcpstack.TcpListener.bind(("", 0), alice) as listener:
        interrupted(listener.accept)


@pytest.mark.parametrize("timeout", [None, 60])
def test_ctrl_c_ends_recv_and_sendall(pair: Pair, timeout: float | None) -> None:
    far, _ = pair
    far.settimeout(timeout)
    interrupted(lambda: far.recv(1))
    interrupted(lambda: far.sendall(bytes(64 << 20)))


def test_ctrl_c_ends_recv_and_sendall_of_a_stream(
    alice: tcpstack.Stack, bob: tcpstack.Stack
) -> None:
    with tcpstack.TcpListener.bind(("10.7.0.1", 0), alice) as listener:
        with tcpstack.TcpStream.connect(listener.getsockname(), bob) as stream:
            interrupted(lambda: stream.recv(1))
            interrupted(lambda: stream.recv_into(bytearray(1)))
            interrupted(lambda: stream.sendall(bytes(64 << 20)))


def test_ctrl_c_ends_connect(bob: tcpstack.Stack, network: object) -> None:
    # Nobody has this address: connect waits, unless the network says at once that it is not there.
    with bob.socket() as sock:
        sock.settimeout(0.1)
        try:
            sock.connect(("10.7.0.77", 80))
        except TimeoutError:
            pass
        except OSError:
            return
    with bob.socket() as sock:
        interrupted(lambda: sock.connect(("10.7.0.77", 80)))


def test_ctrl_c_ends_waiting_for_events(bob: tcpstack.Stack) -> None:
    with bob.events() as events:
        interrupted(events.read)


@contextmanager
def counting(number: signal.Signals) -> Iterator[list[int]]:
    """Handles a signal by counting it."""
    seen: list[int] = []

    def handler(signum: int, frame: FrameType | None) -> None:
        seen.append(signum)

    before = signal.signal(number, handler)
    try:
        yield seen
    finally:
        signal.signal(number, before)


def test_a_handler_that_returns_lets_accept_go_on(
    alice: tcpstack.Stack, bob: tcpstack.Stack, background: Background
) -> None:
    with tcpstack.create_server(("10.7.0.1", 7400), stack=alice) as server:

        def connect_later() -> None:
            time.sleep(4 * DELAY_SECONDS)
            tcpstack.create_connection(("10.7.0.1", 7400), stack=bob).close()

        background(connect_later)
        with counting(signal.SIGUSR1) as seen, signal_soon(signal.SIGUSR1, times=2):
            child, _ = server.accept()
        child.close()
        assert len(seen) == 2


def test_a_handler_that_returns_lets_recv_go_on(pair: Pair, background: Background) -> None:
    far, near = pair
    far.settimeout(None)

    def send_later() -> None:
        time.sleep(4 * DELAY_SECONDS)
        near.sendall(b"at last")

    background(send_later)
    with counting(signal.SIGUSR1) as seen, signal_soon(signal.SIGUSR1, times=2):
        assert far.recv(100) == b"at last"
    assert len(seen) == 2


def test_a_handler_may_ask_for_the_descriptor_of_the_call_that_waits(pair: Pair) -> None:
    far, near = pair
    far.settimeout(None)

    def handler(signum: int, frame: FrameType | None) -> None:
        near.sendall(b"sent by the handler")
        assert select.select([far], [], [], PATIENCE_SECONDS)[0] == [far]

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with signal_soon(signal.SIGUSR1):
            assert far.recv(100) == b"sent by the handler"
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_sigpipe_comes_unless_it_is_not_wanted(pair: Pair) -> None:
    far, _ = pair
    far.shutdown(socket.SHUT_WR)
    with counting(signal.SIGPIPE) as seen:
        for flags, count in ((0, 1), (socket.MSG_NOSIGNAL, 1), (0, 2)):
            with pytest.raises(BrokenPipeError):
                far.send(b"x", flags)
            assert len(seen) == count
        with pytest.raises(BrokenPipeError):
            far.sendall(b"x")
        assert len(seen) == 3


def test_signals_do_not_prolong_a_timeout(alice: tcpstack.Stack) -> None:
    with tcpstack.TcpListener.bind(("", 0), alice) as listener:
        listener.settimeout(2.5 * DELAY_SECONDS)
        begin = time.monotonic()
        with counting(signal.SIGUSR1) as seen, signal_soon(signal.SIGUSR1, times=4):
            with pytest.raises(TimeoutError):
                listener.accept()
            elapsed = time.monotonic() - begin
        assert 2.4 * DELAY_SECONDS < elapsed < 3.5 * DELAY_SECONDS
        assert len(seen) == 4
        assert listener.gettimeout() == 2.5 * DELAY_SECONDS


def test_other_threads_are_not_disturbed(alice: tcpstack.Stack, background: Background) -> None:
    with tcpstack.create_server(("", 0), stack=alice) as server:
        server.settimeout(PATIENCE_SECONDS)
        accepted = background(server.accept)
        with counting(signal.SIGUSR1), signal_soon(signal.SIGUSR1):
            time.sleep(2 * DELAY_SECONDS)
        assert not accepted.done()
        tcpstack.create_connection(server.getsockname(), stack=alice).close()
        accepted.result()[0].close()
