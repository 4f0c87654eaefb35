"""Stacks: knobs, counters, connections, events, the default one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import tcpstack
from conftest import PATIENCE_SECONDS, Pair, url_of


def test_a_stack_knows_its_url_and_addresses(network: Path, alice: tcpstack.Stack) -> None:
    assert alice.url == url_of(network, 1)
    assert alice.addresses[:2] == ["10.7.0.1", "fd07::1"]
    assert url_of(network, 1) in repr(alice)


def test_knobs_are_a_mapping(alice: tcpstack.Stack) -> None:
    assert len(alice.sysctl) == len(list(alice.sysctl)) > 0
    assert dict(alice.sysctl)["tcp_delack_ms"] == alice.sysctl["tcp_delack_ms"]
    alice.sysctl["tcp_delack_ms"] = 20
    assert alice.sysctl["tcp_delack_ms"] == "20"
    with pytest.raises(KeyError):
        alice.sysctl["tcp_no_such_thing"]
    with pytest.raises(KeyError, match="tcp_no_such_thing"):
        alice.sysctl["tcp_no_such_thing"] = "1"
    with pytest.raises(ValueError, match="tcp_delack_ms"):
        alice.sysctl["tcp_delack_ms"] = "soon"


def test_connections_show_the_listener_and_the_connection(
    alice: tcpstack.Stack, bob: tcpstack.Stack
) -> None:
    with tcpstack.create_server(("10.7.0.1", 7200), stack=alice) as server:
        (listener,) = alice.connections()
        assert listener.state == "LISTEN"
        assert listener.remote is None
        assert tcpstack.info(server).local == ("10.7.0.1", 7200)
        with tcpstack.create_connection(("10.7.0.1", 7200), stack=bob) as client:
            child, _ = server.accept()
            with child:
                row = tcpstack.info(child)
                assert row.state == "ESTABLISHED"
                assert row.remote == client.getsockname()
                assert not row.orphan
                assert "ESTABLISHED 10.7.0.1:7200 -> 10.7.0.2:" in repr(row)
                assert row.id in [other.id for other in alice.connections()]


def test_counters_have_names(alice: tcpstack.Stack, pair: Pair) -> None:
    counters = alice.counters()
    assert all(isinstance(count, int) for count in counters.values())
    assert counters


def test_events_tell_the_handshake(alice: tcpstack.Stack, bob: tcpstack.Stack) -> None:
    with bob.events() as events, tcpstack.create_server(("", 7201), stack=alice):
        tcpstack.create_connection(("10.7.0.1", 7201), stack=bob).close()
        sent = []
        while "ACK" not in sent:
            event = events.read(PATIENCE_SECONDS)
            assert event is not None
            if event["kind"]["type"] == "segment_sent":
                sent.append(event["kind"]["flags"])
        assert sent == ["SYN", "ACK"]
        assert events.dropped == 0


def test_every_reader_gets_every_event(alice: tcpstack.Stack, bob: tcpstack.Stack) -> None:
    first, second = bob.events(), bob.events()
    bob.socket().close()
    with bob.socket() as sock, pytest.raises(ConnectionRefusedError):
        sock.connect(("10.7.0.1", 1))
    event = first.read(PATIENCE_SECONDS)
    assert event is not None
    assert event == second.read(PATIENCE_SECONDS)
    first.close()
    second.close()


def test_events_end_when_the_stack_is_closed(network: Path) -> None:
    stack = tcpstack.Stack(url_of(network, 3))
    events = stack.events()
    stack.close()
    for event in events:
        assert event["host"] == "10.7.0.3"
    assert events.read() is None


def test_events_call_back_on_a_thread_of_their_own(
    alice: tcpstack.Stack, bob: tcpstack.Stack
) -> None:
    seen: list[tcpstack.Event] = []
    arrived = threading.Event()

    def callback(event: tcpstack.Event) -> None:
        seen.append(event)
        # A callback may use the stack that it hears of.
        bob.connections()
        arrived.set()

    with bob.events(callback):
        with bob.socket() as sock, pytest.raises(ConnectionRefusedError):
            sock.connect(("10.7.0.1", 1))
        assert arrived.wait(PATIENCE_SECONDS)
    assert [event["index"] for event in seen] == sorted(event["index"] for event in seen)


def test_a_full_queue_counts_what_it_drops(alice: tcpstack.Stack, bob: tcpstack.Stack) -> None:
    with bob.events(capacity=1) as events:
        with bob.socket() as sock, pytest.raises(ConnectionRefusedError):
            sock.connect(("10.7.0.1", 1))
        assert events.dropped > 0
        assert events.read(0) is not None
        assert events.read(0) is None


def test_use_makes_the_default_stack(network: Path, alice: tcpstack.Stack) -> None:
    assert tcpstack.use(alice) is alice
    try:
        assert tcpstack.default_stack() is alice
        with tcpstack.create_server(("10.7.0.1", 7202)), tcpstack.socket() as client:
            client.connect(("10.7.0.1", 7202))
            tcpstack.TcpStream.connect(("10.7.0.1", 7202)).close()
    finally:
        tcpstack.use(None)


def test_the_environment_names_the_default_stack(
    network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TCPSTACK", url_of(network, 4))
    tcpstack.use(None)
    with tcpstack.default_stack() as stack:
        assert "10.7.0.4" in stack.addresses
        assert tcpstack.default_stack() is stack
    assert stack.closed
    tcpstack.use(None)


def test_a_closed_stack_says_so(network: Path) -> None:
    stack = tcpstack.Stack(url_of(network, 5))
    sock = stack.socket()
    before = stack.closed
    stack.close()
    stack.close()
    assert (before, stack.closed) == (False, True)
    with pytest.raises(OSError):
        sock.connect(("10.7.0.1", 1))
    with pytest.raises(OSError):
        stack.socket()
    sock.close()
