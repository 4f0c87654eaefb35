"""tcpstack.socket does what socket.socket does."""

from __future__ import annotations

import errno
import gc
import hashlib
import os
import select
import selectors
import socket
import struct
import time
from pathlib import Path

import pytest

import tcpstack
from conftest import PATIENCE_SECONDS, Background, Pair


def test_it_is_a_standard_socket(bob: tcpstack.Stack) -> None:
    with bob.socket() as sock:
        assert isinstance(sock, socket.socket)
        assert (sock.family, sock.type, sock.proto) == (socket.AF_INET, socket.SOCK_STREAM, 0)
        assert sock.getsockname() == ("0.0.0.0", 0)
        assert not sock.get_inheritable()


def test_both_ends_know_both_addresses(alice: tcpstack.Stack, bob: tcpstack.Stack) -> None:
    with tcpstack.create_server(("10.7.0.1", 7000), stack=alice) as server:
        with tcpstack.create_connection(("10.7.0.1", 7000), stack=bob) as client:
            child, address = server.accept()
            with child:
                assert address == client.getsockname() == child.getpeername()
                assert client.getpeername() == child.getsockname() == ("10.7.0.1", 7000)
                assert address[0] == "10.7.0.2"
                assert type(child) is tcpstack.socket


def test_bytes_arrive_in_order_both_ways(pair: Pair) -> None:
    far, near = pair
    near.sendall(b"hello, server\n")
    assert far.recv(100) == b"hello, server\n"
    far.sendall(b"hello, client\n")
    assert near.recv(5) == b"hello"
    assert near.recv(100) == b", client\n"


def test_megabytes_arrive_unchanged(pair: Pair, background: Background) -> None:
    far, near = pair
    data = os.urandom(8 << 20)

    def receive() -> str:
        digest = hashlib.sha256()
        while chunk := far.recv(65536):
            digest.update(chunk)
        return digest.hexdigest()

    digest = background(receive)
    near.sendall(data)
    near.shutdown(socket.SHUT_WR)
    assert digest.result(PATIENCE_SECONDS) == hashlib.sha256(data).hexdigest()


def test_ipv6_addresses_have_four_parts(alice: tcpstack.Stack, bob: tcpstack.Stack) -> None:
    with tcpstack.create_server(("fd07::1", 0), family=socket.AF_INET6, stack=alice) as server:
        with bob.socket(socket.AF_INET6) as client:
            client.connect(server.getsockname())
            child, address = server.accept()
            with child:
                assert len(address) == 4
                assert address[0] == "fd07::2"
                assert client.getpeername() == server.getsockname()


def test_a_stack_talks_to_itself(alice: tcpstack.Stack) -> None:
    with tcpstack.create_server(("", 7001), stack=alice) as server:
        for host in ("127.0.0.1", "localhost", "10.7.0.1"):
            with alice.socket() as client:
                client.connect((host, 7001))
                child, _ = server.accept()
                with child:
                    client.sendall(b"me")
                    assert child.recv(10) == b"me"


def test_end_of_stream_is_empty_and_half_close_still_receives(pair: Pair) -> None:
    far, near = pair
    near.sendall(b"last words")
    near.shutdown(socket.SHUT_WR)
    assert far.recv(100) == b"last words"
    assert far.recv(100) == b""
    assert far.recv(100) == b""
    far.sendall(b"still here")
    assert near.recv(100) == b"still here"
    assert tcpstack.info(near).state == "FIN-WAIT-2"
    far.close()
    assert near.recv(100) == b""


def test_makefile_reads_and_writes_lines(pair: Pair) -> None:
    far, near = pair
    with near.makefile("rw", newline="\n") as near_file, far.makefile("rw") as far_file:
        near_file.write("eins\nzwei\n")
        near_file.flush()
        assert far_file.readline() == "eins\n"
        assert far_file.readline() == "zwei\n"


def test_recv_into_peek_and_wait_for_all(pair: Pair) -> None:
    far, near = pair
    near.sendall(b"0123456789")
    assert far.recv(4, socket.MSG_PEEK) == b"0123"
    memory = bytearray(20)
    assert far.recv_into(memory, 10, socket.MSG_WAITALL) == 10
    assert memory == b"0123456789" + bytes(10)


def test_sendmsg_and_recvmsg(pair: Pair) -> None:
    far, near = pair
    assert near.sendmsg([b"one ", b"two ", b"three"]) == 13
    data, ancillary, _, _ = far.recvmsg(100)
    assert data == b"one two three"
    assert ancillary == []


def test_sendto_ignores_the_address_of_a_connected_stream(pair: Pair) -> None:
    far, near = pair
    assert near.sendto(b"here", ("10.7.0.9", 9)) == 4
    assert far.recvfrom(10)[0] == b"here"


def test_sendfile_moves_a_file(pair: Pair, tmp_path: Path, background: Background) -> None:
    far, near = pair
    path = tmp_path / "file"
    path.write_bytes(os.urandom(300_000))

    def receive() -> bytes:
        with far.makefile("rb") as file:
            return file.read()

    received = background(receive)
    with path.open("rb") as file:
        assert near.sendfile(file) == 300_000
    near.shutdown(socket.SHUT_WR)
    assert received.result(PATIENCE_SECONDS) == path.read_bytes()


def test_timeouts_raise_timeout_error(pair: Pair, alice: tcpstack.Stack) -> None:
    far, _ = pair
    far.settimeout(0.05)
    begin = time.monotonic()
    with pytest.raises(TimeoutError, match="timed out"):
        far.recv(1)
    assert 0.04 < time.monotonic() - begin < 5
    with tcpstack.create_server(("", 0), stack=alice) as server:
        server.settimeout(0.05)
        with pytest.raises(TimeoutError, match="timed out"):
            server.accept()


def test_a_sender_whose_peer_does_not_read_is_stopped_by_the_window(pair: Pair) -> None:
    far, near = pair
    near.settimeout(0.5)
    with pytest.raises(TimeoutError):
        near.sendall(bytes(64 << 20))
    assert tcpstack.info(far).receive_queue > 0


def test_nonblocking_calls_raise_blocking_io_error(pair: Pair, alice: tcpstack.Stack) -> None:
    far, _ = pair
    far.setblocking(False)
    with pytest.raises(BlockingIOError):
        far.recv(1)
    with tcpstack.create_server(("", 0), stack=alice) as server:
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_an_accepted_socket_blocks_whatever_the_listener_does(
    alice: tcpstack.Stack, bob: tcpstack.Stack
) -> None:
    with tcpstack.create_server(("", 7002), stack=alice) as server, bob.socket() as client:
        server.setblocking(False)
        client.connect(("10.7.0.1", 7002))
        select.select([server], [], [], PATIENCE_SECONDS)
        child, _ = server.accept()
        with child:
            assert child.gettimeout() is None


def test_nonblocking_connect_ends_with_writable_and_so_error(
    alice: tcpstack.Stack, bob: tcpstack.Stack
) -> None:
    with tcpstack.create_server(("", 7003), stack=alice), bob.socket() as client:
        client.setblocking(False)
        assert client.connect_ex(("10.7.0.1", 7003)) == errno.EINPROGRESS
        assert select.select([], [client], [], PATIENCE_SECONDS)[1] == [client]
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        assert client.getpeername() == ("10.7.0.1", 7003)

    with bob.socket() as client:
        client.setblocking(False)
        assert client.connect_ex(("10.7.0.1", 1)) == errno.EINPROGRESS
        select.select([], [client], [], PATIENCE_SECONDS)
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_connect_ex_returns_the_number(bob: tcpstack.Stack, alice: tcpstack.Stack) -> None:
    with tcpstack.create_server(("", 7004), stack=alice), bob.socket() as client:
        assert client.connect_ex(("10.7.0.1", 7004)) == 0
        assert client.connect_ex(("10.7.0.1", 7004)) == errno.EISCONN
    with bob.socket() as client:
        assert client.connect_ex(("10.7.0.1", 1)) == errno.ECONNREFUSED


def test_selectors_see_listeners_and_data(alice: tcpstack.Stack, bob: tcpstack.Stack) -> None:
    with (
        selectors.DefaultSelector() as selector,
        tcpstack.create_server(("", 7005), stack=alice) as server,
        bob.socket() as client,
    ):
        selector.register(server, selectors.EVENT_READ)
        assert selector.select(0) == []
        client.connect(("10.7.0.1", 7005))
        assert selector.select(PATIENCE_SECONDS)[0][0].fileobj is server
        child, _ = server.accept()
        with child:
            selector.register(child, selectors.EVENT_READ)
            assert selector.select(0) == []
            client.sendall(b"x")
            assert selector.select(PATIENCE_SECONDS)[0][0].fileobj is child
            selector.unregister(child)


def test_options(bob: tcpstack.Stack) -> None:
    with bob.socket() as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 0
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, struct.pack("i", 1))
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 4) == struct.pack("i", 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 5))
        linger = sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        assert struct.unpack("ii", linger) == (1, 5)
        # As Linux: twice what was asked for, the rest being for its own use.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 50_000)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 100_000


def test_an_option_that_is_not_there_is_enoprotoopt(bob: tcpstack.Stack) -> None:
    with bob.socket() as sock:
        with pytest.raises(OSError) as caught:
            sock.getsockopt(socket.IPPROTO_TCP, 999)
        assert caught.value.errno == errno.ENOPROTOOPT


def test_close_frees_the_port_before_it_returns(alice: tcpstack.Stack) -> None:
    for _ in range(50):
        with alice.socket() as sock:
            sock.bind(("10.7.0.1", 7006))
            sock.listen()


def test_close_reaches_the_peer_and_leaves_time_wait(
    alice: tcpstack.Stack, bob: tcpstack.Stack, pair: Pair
) -> None:
    far, near = pair
    local = near.getsockname()
    near.close()
    assert near.fileno() == -1
    assert far.recv(1) == b""
    far.close()
    states = [row.state for row in wait_for(bob, "TIME-WAIT") if row.local == local]
    assert states == ["TIME-WAIT"]


def wait_for(stack: tcpstack.Stack, state: str) -> list[tcpstack.ConnectionInfo]:
    """The connections of `stack` once one of them is in `state`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        rows = stack.connections()
        if any(row.state == state for row in rows) or time.monotonic() > deadline:
            return rows
        time.sleep(0.005)


def test_a_duplicate_keeps_the_connection_open(pair: Pair) -> None:
    far, near = pair
    with near.dup() as copy:
        assert isinstance(copy, tcpstack.socket)
        assert copy.getpeername() == near.getpeername()
        near.close()
        copy.sendall(b"from the copy")
        assert far.recv(100) == b"from the copy"
    assert far.recv(100) == b""


def test_a_detached_descriptor_lives_on(pair: Pair) -> None:
    far, near = pair
    fd = near.detach()
    assert near.fileno() == -1
    os.write(fd, b"plain write")
    assert far.recv(100) == b"plain write"
    with tcpstack.socket(fileno=fd) as again:
        assert again.family == socket.AF_INET
        assert again.getpeername() == far.getsockname()
    assert far.recv(100) == b""


def test_plain_descriptor_calls_close_it_too(pair: Pair) -> None:
    far, near = pair
    os.close(near.detach())
    assert far.recv(1) == b""


def test_a_forgotten_socket_warns_and_is_closed(alice: tcpstack.Stack, pair: Pair) -> None:
    far, _ = pair
    copy = far.dup()
    with pytest.warns(ResourceWarning, match="unclosed"):
        del copy
        gc.collect()
    far.sendall(b"the original is still open")


def test_repr_shows_class_and_addresses(pair: Pair) -> None:
    far, near = pair
    text = repr(near)
    assert text.startswith("<tcpstack.socket fd=")
    assert f"laddr={near.getsockname()!r}" in text
    assert f"raddr={far.getsockname()!r}" in text
    near.close()
    assert "[closed]" in repr(near)


def test_other_families_are_the_kernels(bob: tcpstack.Stack) -> None:
    with bob.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
        datagram.bind(("127.0.0.1", 0))
        assert datagram.getsockname()[0] == "127.0.0.1"
        datagram.sendto(b"udp", datagram.getsockname())
        assert datagram.recvfrom(10) == (b"udp", datagram.getsockname())
    with tcpstack.socket(socket.AF_UNIX, socket.SOCK_STREAM) as local:
        assert local.family == socket.AF_UNIX
        assert local.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
        local.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def test_create_server_says_which_address_is_in_use(alice: tcpstack.Stack) -> None:
    address = ("10.7.0.1", 7007)
    with tcpstack.create_server(address, stack=alice):
        with pytest.raises(OSError, match="attempting to bind on address") as caught:
            tcpstack.create_server(address, stack=alice)
        assert caught.value.errno == errno.EADDRINUSE
    with pytest.raises(ValueError, match="AF_INET6"):
        tcpstack.create_server(address, dualstack_ipv6=True, stack=alice)


def test_a_dual_stack_server_takes_both_families(
    alice: tcpstack.Stack, bob: tcpstack.Stack
) -> None:
    with tcpstack.create_server(
        ("::", 7008), family=socket.AF_INET6, dualstack_ipv6=True, stack=alice
    ) as server:
        for host, seen in (("10.7.0.1", "::ffff:10.7.0.2"), ("fd07::1", "fd07::2")):
            with tcpstack.create_connection((host, 7008), stack=bob):
                child, address = server.accept()
                child.close()
                assert address[0] == seen


def test_create_connection_reports_the_failures(bob: tcpstack.Stack, alice: object) -> None:
    with pytest.raises(ConnectionRefusedError):
        tcpstack.create_connection(("10.7.0.1", 1), stack=bob)
    with pytest.raises(ExceptionGroup) as caught:
        tcpstack.create_connection(("10.7.0.1", 1), stack=bob, all_errors=True)
    assert isinstance(caught.value.exceptions[0], ConnectionRefusedError)


def test_create_connection_takes_a_source_address(
    alice: tcpstack.Stack, bob: tcpstack.Stack
) -> None:
    with tcpstack.create_server(("", 7009), stack=alice) as server:
        with tcpstack.create_connection(
            ("10.7.0.1", 7009), 5.0, ("10.7.0.2", 7010), stack=bob
        ) as client:
            assert client.gettimeout() == 5.0
            child, address = server.accept()
            child.close()
            assert address == ("10.7.0.2", 7010)


def test_options_of_the_stack_are_linuxs(bob: tcpstack.Stack) -> None:
    with bob.socket() as sock:
        for level, name, value in [
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 3),
            (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 5000),
            (socket.IPPROTO_TCP, socket.TCP_CORK, 1),
            (socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 3),
        ]:
            sock.setsockopt(level, name, value)
            assert sock.getsockopt(level, name) == value
        assert tcpstack.tcp_info(sock).state == "CLOSED"
        assert len(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1000)) == 248
