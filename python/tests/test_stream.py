"""TcpStream and TcpListener: the fast way into the stack."""

from __future__ import annotations

import array
import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest

import tcpstack
from conftest import PATIENCE_SECONDS, Background
from tcpstack import TcpListener, TcpStream

Streams = tuple[TcpStream, TcpStream]


@pytest.fixture
def streams(alice: tcpstack.Stack, bob: tcpstack.Stack) -> Iterator[Streams]:
    """A connection: (alice's end, bob's end); bob connected."""
    with TcpListener.bind(("10.7.0.1", 0), alice) as listener:
        near = TcpStream.connect(listener.getsockname(), bob, PATIENCE_SECONDS)
        far, _ = listener.accept()
    far.settimeout(PATIENCE_SECONDS)
    with near, far:
        yield far, near


def test_both_ends_know_both_addresses(streams: Streams) -> None:
    far, near = streams
    assert near.getpeername() == far.getsockname()
    assert near.getsockname() == far.getpeername()
    assert near.getsockname()[0] == "10.7.0.2"


def test_bytes_arrive_in_order_both_ways(streams: Streams) -> None:
    far, near = streams
    assert near.send(b"ping") == 4
    assert far.recv(100) == b"ping"
    far.sendall(b"pong")
    assert near.recv(2) == b"po"
    assert near.recv(0) == b""
    assert near.recv(100) == b"ng"


@pytest.mark.parametrize(
    "data",
    [b"bytes", bytearray(b"bytearray"), memoryview(b"memoryview"), array.array("i", [1, 2, 3])],
)
def test_any_contiguous_buffer_is_sent_from_where_it_lies(streams: Streams, data: bytes) -> None:
    far, near = streams
    near.sendall(data)
    near.shutdown(socket.SHUT_WR)
    received = b""
    while chunk := far.recv(100):
        received += chunk
    assert received == bytes(data)


def test_recv_into_fills_the_callers_memory(streams: Streams) -> None:
    far, near = streams
    near.sendall(b"0123456789")
    memory = bytearray(8)
    assert far.recv_into(memory, 4) == 4
    assert memory == b"0123\0\0\0\0"
    assert far.recv_into(memoryview(memory)[4:]) == 4
    assert memory == b"01234567"
    with pytest.raises(TypeError, match="read-only"):
        far.recv_into(b"constant")
    with pytest.raises(BufferError, match="contiguous"):
        near.send(memoryview(b"strided")[::2])


def test_a_buffer_cannot_be_resized_while_it_is_received_into(
    streams: Streams, background: Background
) -> None:
    far, near = streams
    memory = bytearray(10)
    received = background(far.recv_into, memory)
    while not received.running():
        time.sleep(0.001)
    time.sleep(0.05)
    with pytest.raises(BufferError):
        memory.extend(b"more")
    near.sendall(b"x")
    assert received.result(PATIENCE_SECONDS) == 1


def test_megabytes_arrive_unchanged(streams: Streams, background: Background) -> None:
    far, near = streams
    data = os.urandom(16 << 20)

    def receive() -> str:
        digest = hashlib.sha256()
        memory = bytearray(1 << 18)
        while size := far.recv_into(memory):
            digest.update(memoryview(memory)[:size])
        return digest.hexdigest()

    digest = background(receive)
    near.sendall(data)
    near.shutdown(socket.SHUT_WR)
    assert digest.result(PATIENCE_SECONDS) == hashlib.sha256(data).hexdigest()


def test_other_threads_run_while_a_call_waits(streams: Streams, background: Background) -> None:
    far, near = streams
    received = background(far.recv, 100)
    ticks = sum(1 for _ in range(100_000))
    near.sendall(b"done")
    assert received.result(PATIENCE_SECONDS) == b"done"
    assert ticks == 100_000


def test_timeout_and_nonblocking_modes(streams: Streams, alice: tcpstack.Stack) -> None:
    far, _ = streams
    far.settimeout(0.05)
    assert far.gettimeout() == 0.05
    begin = time.monotonic()
    with pytest.raises(TimeoutError, match="timed out"):
        far.recv(1)
    assert 0.04 < time.monotonic() - begin < 5
    far.setblocking(False)
    assert far.gettimeout() == 0.0
    with pytest.raises(BlockingIOError):
        far.recv(1)
    with pytest.raises(ValueError, match="out of range"):
        far.settimeout(-1.0)
    with TcpListener.bind(("", 0), alice) as listener:
        listener.settimeout(0.05)
        with pytest.raises(TimeoutError, match="timed out"):
            listener.accept()


def test_a_timeout_is_for_the_whole_of_sendall(streams: Streams) -> None:
    _, near = streams
    near.settimeout(0.3)
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        near.sendall(bytes(64 << 20))
    assert time.monotonic() - begin < 5


def test_a_listener_is_an_iterator(alice: tcpstack.Stack, bob: tcpstack.Stack) -> None:
    with TcpListener.bind(("10.7.0.1", 7100), alice) as listener:
        clients = [TcpStream.connect(("10.7.0.1", 7100), bob) for _ in range(3)]
        for client, (stream, address) in zip(clients, listener, strict=False):
            assert address == client.getsockname()
            stream.close()
            client.close()


def test_half_close_still_receives(streams: Streams) -> None:
    far, near = streams
    near.shutdown(socket.SHUT_WR)
    assert far.recv(1) == b""
    far.sendall(b"late")
    assert near.recv(100) == b"late"
    assert near.info().state == "FIN-WAIT-2"


def test_close_wakes_the_threads_that_wait(alice: tcpstack.Stack, background: Background) -> None:
    listener = TcpListener.bind(("", 0), alice)
    accepted = background(lambda: pytest.raises(OSError, listener.accept))
    time.sleep(0.1)
    listener.close()
    listener.close()
    accepted.result(PATIENCE_SECONDS)
    assert "closed" in repr(listener)


def test_a_reset_is_connection_reset_error(streams: Streams) -> None:
    far, near = streams
    near.sendall(b"nobody reads this")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while far.info().receive_queue == 0 and time.monotonic() < deadline:
        time.sleep(0.005)
    far.close()
    with pytest.raises(ConnectionResetError):
        near.recv(1)
    with pytest.raises(BrokenPipeError):
        near.sendall(b"more")


def test_many_threads_may_use_one_stack(alice: tcpstack.Stack, bob: tcpstack.Stack) -> None:
    listener = TcpListener.bind(("10.7.0.1", 7101), alice)

    def echo(stream: TcpStream) -> None:
        with stream:
            while data := stream.recv(4096):
                stream.sendall(data)

    def serve() -> None:
        for _ in range(20):
            stream, _ = listener.accept()
            threading.Thread(target=echo, args=(stream,)).start()

    answers: list[bytes] = []

    def ask(number: int) -> None:
        with TcpStream.connect(("10.7.0.1", 7101), bob, PATIENCE_SECONDS) as stream:
            stream.sendall(b"%d" % number * 1000)
            stream.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := stream.recv(4096):
                answer += chunk
            answers.append(answer)

    threads = [threading.Thread(target=serve)]
    threads += [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    listener.close()
    assert sorted(answers) == sorted(b"%d" % number * 1000 for number in range(20))


def test_repr_shows_state_and_addresses(streams: Streams) -> None:
    _, near = streams
    host, port = near.getsockname()
    assert repr(near).startswith(f"<TcpStream ESTABLISHED {host}:{port} -> 10.7.0.1:")
    near.close()
    assert repr(near) == "<TcpStream closed>"


def test_nodelay(streams: Streams) -> None:
    _, near = streams
    assert not near.nodelay
    near.nodelay = True
    assert near.nodelay


def test_tcp_info_tells_what_went_and_came(streams: Streams) -> None:
    far, near = streams
    near.sendall(b"x" * 5000)
    read = 0
    while read < 5000:
        read += len(far.recv(5000))
    far.sendall(b"done")
    assert near.recv(4) == b"done"
    info = near.tcp_info()
    assert (info.state, info.congestion_state) == ("ESTABLISHED", "open")
    assert (info.bytes_sent, info.bytes_received, info.retransmitted_segments) == (5000, 4, 0)
    assert info.srtt > 0 and info.rto >= 0.2 and info.cwnd >= info.send_mss
    assert "bytes_sent=5000" in repr(info)


def test_options_are_set_by_number_and_by_bytes(streams: Streams) -> None:
    _, near = streams
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
    assert near.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    name = near.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    assert name.rstrip(b"\0") == b"reno"
    with pytest.raises(OSError):
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 0)
