"""Errors are the exceptions, numbers and texts that the standard module gives."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time
from pathlib import Path
from typing import Any

import pytest

import tcpstack
from conftest import PATIENCE_SECONDS, Pair


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("nonsense:x", "nonsense"),
        ("unix:/tmp/x?addr=10.7.0.300/24", "addr"),
        ("unix:/tmp/x?addr=10.7.0.1/24&colour=red", "colour"),
        ("unix:/tmp/x?addr=10.7.0.1/24&loss=much", "loss"),
        ("unix:/tmp/x?addr=10.7.0.1/24&tcp_delack_ms=soon", "tcp_delack_ms"),
    ],
)
def test_a_wrong_url_is_a_value_error_that_names_the_key(url: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        tcpstack.Stack(url)


def test_a_device_that_cannot_be_opened_is_an_os_error(network: Path) -> None:
    file = network / "file"
    file.touch()
    with pytest.raises(OSError, match="file") as caught:
        tcpstack.Stack(f"unix:{file}?addr=10.7.0.1/24")
    assert caught.value.errno


def test_two_hosts_cannot_have_one_address(alice: tcpstack.Stack) -> None:
    with pytest.raises(OSError) as caught:
        tcpstack.Stack(alice.url)
    assert caught.value.errno == errno.EADDRINUSE


def test_a_closed_port_refuses(alice: tcpstack.Stack, bob: tcpstack.Stack) -> None:
    with bob.socket() as sock:
        with pytest.raises(ConnectionRefusedError) as caught:
            sock.connect(("10.7.0.1", 1))
    assert caught.value.errno == errno.ECONNREFUSED
    assert caught.value.strerror == os.strerror(errno.ECONNREFUSED)
    with pytest.raises(ConnectionRefusedError):
        tcpstack.TcpStream.connect(("10.7.0.1", 1), bob)


def test_a_host_that_is_not_there_is_unreachable_or_times_out(bob: tcpstack.Stack) -> None:
    with bob.socket() as sock:
        sock.settimeout(0.3)
        with pytest.raises(OSError) as caught:
            sock.connect(("10.7.0.77", 80))
    assert isinstance(caught.value, TimeoutError) or caught.value.errno == errno.EHOSTUNREACH


@pytest.mark.parametrize("host", ["10.7.0.77", "192.0.2.1"])
def test_an_address_of_someone_else_cannot_be_bound(alice: tcpstack.Stack, host: str) -> None:
    with alice.socket() as sock:
        with pytest.raises(OSError) as caught:
            sock.bind((host, 7300))
    assert caught.value.errno == errno.EADDRNOTAVAIL


def reset(pair: Pair) -> tcpstack.socket:
    """bob's end, whose peer has just reset the connection."""
    far, near = pair
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    far.close()
    return near


def test_a_reset_is_raised_by_recv_once_then_the_stream_has_ended(pair: Pair) -> None:
    near = reset(pair)
    with pytest.raises(ConnectionResetError) as caught:
        near.recv(1)
    assert caught.value.errno == errno.ECONNRESET
    assert near.recv(1) == b""
    with pytest.raises(BrokenPipeError):
        near.sendall(b"x")


def test_a_reset_is_raised_by_send(pair: Pair) -> None:
    near = reset(pair)
    deadline = time.monotonic() + PATIENCE_SECONDS
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        while time.monotonic() < deadline:
            near.send(b"x")
            time.sleep(0.001)


def test_a_reset_is_raised_through_makefile(pair: Pair) -> None:
    near = reset(pair)
    with near.makefile("rb") as file, pytest.raises(ConnectionResetError):
        file.read(1)


def test_closing_with_unread_data_resets_the_peer(pair: Pair) -> None:
    far, near = pair
    near.sendall(b"unread")
    assert far.recv(1, socket.MSG_PEEK) == b"u"
    far.close()
    with pytest.raises(ConnectionResetError):
        while near.recv(100):
            pass


def test_sending_to_a_closed_peer_succeeds_once_then_breaks(pair: Pair) -> None:
    far, near = pair
    far.close()
    assert near.recv(1) == b""
    assert near.send(b"the reset is the answer to this") > 0
    deadline = time.monotonic() + PATIENCE_SECONDS
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        while time.monotonic() < deadline:
            near.send(b"x")
            time.sleep(0.001)


def test_a_socket_that_is_not_connected_says_so(bob: tcpstack.Stack) -> None:
    with bob.socket() as sock:
        for call, arguments in (
            (sock.getpeername, ()),
            (sock.shutdown, (socket.SHUT_WR,)),
            (sock.recv, (1,)),
        ):
            with pytest.raises(OSError) as caught:
                call(*arguments)
            assert caught.value.errno == errno.ENOTCONN
        with pytest.raises(BrokenPipeError):
            sock.send(b"x")
        with pytest.raises(OSError) as caught:
            sock.accept()
        assert caught.value.errno == errno.EINVAL


def test_a_listening_socket_carries_no_bytes(alice: tcpstack.Stack, bob: tcpstack.Stack) -> None:
    with tcpstack.create_server(("10.7.0.1", 7301), stack=alice) as server:
        with tcpstack.create_connection(("10.7.0.1", 7301), stack=bob):
            select.select([server], [], [], PATIENCE_SECONDS)
            with pytest.raises(OSError) as caught:
                server.recv(1)
            assert caught.value.errno == errno.ENOTCONN
            with server.dup() as copy, pytest.raises(BrokenPipeError):
                copy.send(b"x")
            server.accept()[0].close()


def test_urgent_data_is_not_supported(pair: Pair) -> None:
    with pytest.raises(OSError) as caught:
        pair[0].send(b"!", socket.MSG_OOB)
    assert caught.value.errno == errno.EOPNOTSUPP


def test_a_closed_socket_is_a_bad_descriptor(bob: tcpstack.Stack) -> None:
    sock = bob.socket()
    sock.close()
    sock.close()
    for call, arguments in (
        (sock.connect, (("10.7.0.1", 1),)),
        (sock.getsockname, ()),
        (sock.recv, (1,)),
        (sock.listen, ()),
    ):
        with pytest.raises(OSError) as caught:
            call(*arguments)
        assert caught.value.errno == errno.EBADF


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("10.7.0.1", TypeError),
        (("10.7.0.1",), TypeError),
        (("10.7.0.1", "http"), TypeError),
        (("10.7.0.1", 65536), OverflowError),
        (("10.7.0.1", -1), OverflowError),
        (("name.invalid", 80), socket.gaierror),
        (("fd07::1", 80), socket.gaierror),
    ],
)
def test_wrong_addresses(bob: tcpstack.Stack, address: Any, error: type[Exception]) -> None:
    with bob.socket() as sock, pytest.raises(error):
        sock.connect(address)
    if address != ("fd07::1", 80):
        with pytest.raises(error):
            tcpstack.TcpStream.connect(address, bob)
