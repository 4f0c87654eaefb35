"""Bytes go straight to the stack until a socket's descriptor is asked for, and through it from then on."""

from __future__ import annotations

import asyncio
import errno
import os
import pickle
import select
import selectors
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import tcpstack
from conftest import PATIENCE_SECONDS, Background, Pair


def is_direct(sock: tcpstack.socket) -> bool:
    """Whether nobody has asked for the descriptor."""
    return sock._direct is not None


def has_arrived(sock: tcpstack.socket, count: int) -> None:
    """Waits until so many bytes are there to be received."""
    while len(sock.recv(count, socket.MSG_PEEK)) < count:
        time.sleep(0.001)


def test_calls_that_only_talk_ask_for_no_descriptor(direct_pair: Pair) -> None:
    far, near = direct_pair
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    near.settimeout(5)
    near.sendall(b"line\n")
    with far.makefile("rb") as file:
        assert file.readline() == b"line\n"
    far.sendmsg([b"a", b"b"])
    assert near.recvmsg(10) == (b"ab", [], 0, None)
    near.shutdown(socket.SHUT_WR)
    assert far.recvfrom(10) == (b"", None)
    for sock in direct_pair:
        assert sock.getsockname() and sock.getpeername() and repr(sock)
        assert tcpstack.info(sock).state and tcpstack.tcp_info(sock).state
        assert is_direct(sock)


@pytest.mark.parametrize(
    "ask",
    [
        lambda sock: sock.fileno(),
        lambda sock: select.select([sock], [], [], 0),
        lambda sock: selectors.SelectSelector().register(sock, selectors.EVENT_READ),
        lambda sock: os.fstat(sock.fileno()),
        lambda sock: sock.dup().close(),
        lambda sock: sock.set_inheritable(True),
        lambda sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 5, 0)),
        lambda sock: sock.sendfile(Path("/dev/null").open("rb")),
    ],
    ids=["fileno", "select", "selectors", "fstat", "dup", "inherit", "SO_RCVTIMEO", "sendfile"],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_needs_the_descriptor_asks_for_it_for_good(
    direct_pair: Pair, ask: Callable[[tcpstack.socket], object]
) -> None:
    far, near = direct_pair
    near.sendall(b"before, before, ")
    assert far.recv(8) == b"before, "
    has_arrived(far, 8)
    ask(far)
    assert not is_direct(far)
    near.sendall(b"after")
    with far.makefile("rb") as file:
        assert file.read(13) == b"before, after"
    far.sendall(b"and back")
    assert near.recv(8) == b"and back"
    assert is_direct(near)


def test_select_shows_what_is_there_after_a_direct_recv(direct_pair: Pair) -> None:
    far, near = direct_pair
    near.sendall(b"0123456789")
    assert far.recv(4) == b"0123"
    has_arrived(far, 6)
    assert select.select([far], [far], [], 0) == ([far], [far], [])
    assert os.read(far.fileno(), 100) == b"456789"
    assert select.select([far], [], [], 0) == ([], [], [])


def test_bytes_sent_both_ways_keep_their_order(direct_pair: Pair) -> None:
    far, near = direct_pair
    near.sendall(b"straight, ")
    os.write(near.fileno(), b"by the kernel, ")
    near.sendall(b"by the class")
    near.close()
    with far.makefile("rb") as file:
        assert file.read() == b"straight, by the kernel, by the class"


def test_a_recv_that_waits_goes_on_when_another_thread_asks(
    direct_pair: Pair, background: Background
) -> None:
    far, near = direct_pair
    received = background(far.recv, 4)
    while not received.running():
        time.sleep(0.001)
    time.sleep(0.05)
    assert select.select([far], [], [], 0) == ([], [], [])
    near.sendall(b"for the one, for the other")
    assert received.result(PATIENCE_SECONDS) == b"for "
    assert select.select([far], [], [], PATIENCE_SECONDS)[0] == [far]
    assert far.recv(100) == b"the one, for the other"


def test_a_sendall_that_waits_goes_on_when_another_thread_asks(
    direct_pair: Pair, background: Background
) -> None:
    far, near = direct_pair
    data = os.urandom(8 << 20)
    sent = background(near.sendall, data)
    while tcpstack.info(near).send_queue < 1 << 16:
        time.sleep(0.001)
    near.fileno()
    received = bytearray()
    while len(received) < len(data):
        received += far.recv(1 << 20)
    sent.result(PATIENCE_SECONDS)
    assert received == data


def test_two_threads_that_talk_see_nothing_of_a_third_that_asks(
    direct_pair: Pair, background: Background
) -> None:
    far, near = direct_pair
    data = os.urandom(4 << 20)

    def receive() -> bytes:
        received = bytearray()
        while chunk := far.recv(10_000):
            received += chunk
            if len(received) > len(data) // 2:
                far_is_half.set()
        return bytes(received)

    far_is_half = threading.Event()
    received = background(receive)
    sent = background(near.sendall, data)
    assert far_is_half.wait(PATIENCE_SECONDS)
    far.fileno()
    near.fileno()
    sent.result(PATIENCE_SECONDS)
    near.shutdown(socket.SHUT_WR)
    assert received.result(PATIENCE_SECONDS) == data


def test_asyncio_takes_over_a_socket_that_was_used(direct_pair: Pair) -> None:
    far, near = direct_pair
    near.sendall(b"first\nsecond\n")
    assert far.recv(6) == b"first\n"

    async def main() -> None:
        far.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=far)
        assert await reader.readline() == b"second\n"
        writer.write(b"third\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    asyncio.run(asyncio.wait_for(main(), PATIENCE_SECONDS))
    assert near.recv(100) == b"third\n"
    assert near.recv(100) == b""


def test_nonblocking_calls_that_do_not_block_ask_for_nothing(direct_pair: Pair) -> None:
    far, near = direct_pair
    far.setblocking(False)
    with pytest.raises(BlockingIOError):
        far.recv(1)
    assert far.send(b"at once") == 7
    with pytest.raises(BlockingIOError):
        while True:
            far.send(bytes(1 << 20))
    assert near.recv(7) == b"at once"
    assert is_direct(far)


def test_tls_asks_and_what_came_before_is_not_lost(direct_pair: Pair) -> None:
    far, near = direct_pair
    near.sendall(b"STARTTLS\n")
    assert far.recv(9) == b"STARTTLS\n"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    tls = context.wrap_socket(far, do_handshake_on_connect=False)
    with tls:
        tls.setblocking(False)
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        assert near.recv(1) == b"\x16"


def test_a_number_that_was_not_asked_for_is_as_good(direct_pair: Pair) -> None:
    far, near = direct_pair
    number = int(repr(far).partition("fd=")[2].partition(",")[0])
    near.sendall(b"01234567")
    assert far.recv(4) == b"0123"
    with tcpstack.socket(fileno=os.dup(number)) as copy:
        assert copy.recv(2) == b"45"
    assert far.recv(100) == b"67"
    assert not is_direct(far)


def test_it_cannot_be_pickled(direct_pair: Pair) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(direct_pair[0])


def test_flags_mean_what_they_mean_to_the_standard_class(
    pair: Pair, background: Background
) -> None:
    far, near = pair
    far.settimeout(0.05)
    with pytest.raises(TimeoutError):
        far.recv(1, socket.MSG_DONTWAIT)
    far.settimeout(None)
    with pytest.raises(BlockingIOError) as caught:
        far.recv(1, socket.MSG_DONTWAIT)
    assert caught.value.errno == errno.EAGAIN
    background(near.sendall, b"0123456789" * 100_000)
    assert far.recv(1, socket.MSG_PEEK) == b"0"
    assert far.recv(1_000_000, socket.MSG_WAITALL) == b"0123456789" * 100_000
    near.settimeout(None)
    with pytest.raises(BlockingIOError):
        while True:
            near.send(bytes(1 << 20), socket.MSG_DONTWAIT)


def test_send_with_a_timeout_takes_what_fits(pair: Pair) -> None:
    far, near = pair
    near.settimeout(0.2)
    data = bytes(64 << 20)
    begin = time.monotonic()
    assert 0 < near.send(data) < len(data)
    with pytest.raises(TimeoutError, match="timed out"):
        while True:
            begin = time.monotonic()
            near.send(data)
    assert 0.15 < time.monotonic() - begin < 5
    with pytest.raises(TimeoutError, match="timed out"):
        near.sendall(data)
    assert len(far.recv(10)) == 10


def test_so_rcvtimeo_ends_a_blocking_recv(pair: Pair) -> None:
    far, _ = pair
    far.settimeout(None)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 50_000))
    begin = time.monotonic()
    with pytest.raises(BlockingIOError):
        far.recv(1)
    assert 0.04 < time.monotonic() - begin < 5


def test_buffers_and_sizes_are_checked_as_the_standard_class_does(pair: Pair) -> None:
    far, near = pair
    near.sendall(bytearray(b"ab"))
    assert near.send(memoryview(b"cd")) == 2
    for call in (lambda: far.recv(-1), lambda: far.recv_into(bytearray(4), -1)):
        with pytest.raises(ValueError, match="negative buffersize"):
            call()
    with pytest.raises(ValueError, match="buffer too small"):
        far.recv_into(bytearray(4), 5)
    with pytest.raises(TypeError):
        near.sendall("text")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        far.recv_into(b"constant")
    assert far.recv_into(bytearray()) == 0
    has_arrived(far, 4)
    one, other = bytearray(3), bytearray(3)
    count, ancillary, flags, _ = far.recvmsg_into([one, other])
    assert (count, ancillary, flags) == (4, [], 0)
    assert one + other == b"abcd\0\0"
    assert near.sendmsg(piece for piece in (b"ge", b"nerated")) == 9
    assert far.recv_into(memoryview(bytearray(20))) == 9


def test_closing_on_another_thread_ends_a_direct_recv(
    direct_pair: Pair, background: Background
) -> None:
    far, near = direct_pair

    def receive() -> int | None:
        try:
            far.recv(1)
        except OSError as error:
            return error.errno
        return None

    received = background(receive)
    while not received.running():
        time.sleep(0.001)
    time.sleep(0.05)
    far.close()
    assert received.result(PATIENCE_SECONDS) == errno.EBADF
    assert near.recv(1) == b""


def test_other_threads_run_while_a_call_waits(direct_pair: Pair, background: Background) -> None:
    far, near = direct_pair
    received = background(far.recv_into, bytearray(100))
    assert sum(1 for _ in range(100_000)) == 100_000
    near.sendall(b"done")
    assert received.result(PATIENCE_SECONDS) == 4


def test_a_thread_that_waits_when_the_process_forks_goes_on(
    direct_pair: Pair, background: Background
) -> None:
    far, near = direct_pair
    received = background(far.recv, 6)
    while not received.running():
        time.sleep(0.001)
    time.sleep(0.05)
    pid = os.fork()
    if pid == 0:
        near.sendall(b"parentchild")
        os._exit(0 if far.recv(5) == b"child" else 1)
    assert received.result(PATIENCE_SECONDS) == b"parent"
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
