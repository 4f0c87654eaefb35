"""Events name the line of the program that calls."""

from __future__ import annotations

import inspect
from typing import Any

import tcpstack

from conftest import PATIENCE_SECONDS


def here() -> int:
    """The line that calls this."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


def entered(events: tcpstack.EventStream, name: str) -> Any:
    """The next call of that name."""
    while True:
        event = events.read(PATIENCE_SECONDS)
        assert event is not None, f"{name} was not called"
        kind = event["kind"]
        if kind["type"] == "call_entered" and kind["name"] == name:
            return kind


def test_each_call_names_the_line_outside_the_package(
    alice: tcpstack.Stack, bob: tcpstack.Stack
) -> None:
    with tcpstack.create_server(("", 7301), stack=alice), bob.events() as events:
        line = here() + 1
        client = tcpstack.socket(stack=bob)
        assert entered(events, "socket")["source"] == {"file": __file__, "line": line}
        line = here() + 1
        client.connect(("10.7.0.1", 7301))
        assert entered(events, "connect")["source"] == {"file": __file__, "line": line}
        line = here() + 1
        client.sendall(b"hello")
        assert entered(events, "send")["source"] == {"file": __file__, "line": line}
        line = here() + 1
        client.makefile("wb", buffering=0).write(b"more")
        assert entered(events, "send")["source"] == {"file": __file__, "line": line}
        line = here() + 1
        client.close()
        with tcpstack.TcpStream.connect(("10.7.0.1", 7301), stack=bob):
            assert entered(events, "connect")["source"]["file"] == __file__


def test_who_reads_no_events_has_no_lines_to_find(
    alice: tcpstack.Stack, bob: tcpstack.Stack
) -> None:
    with tcpstack.create_server(("", 7302), stack=alice) as server:
        with tcpstack.create_connection(("10.7.0.1", 7302), stack=bob) as client:
            accepted, _ = server.accept()
            with accepted, bob.events() as events:
                accepted.sendall(b"nobody reads what alice does")
                assert client.recv(4) == b"nobo"
                assert entered(events, "recv")["source"]["line"] == here() - 1
