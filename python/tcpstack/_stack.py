"""Stacks: which network a socket is on, and the view inside.

A stack runs until it is closed or the process ends, when what is queued is still sent.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from socket import AF_INET, SOCK_STREAM
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _tcpstack

if TYPE_CHECKING:
    from ._socket import socket

#: One event, as ``events=FILE`` writes it: "index", "time_ns", "host", "kind", "reason", ...
Event = dict[str, Any]


class Sysctl(Mapping[str, str]):
    """A stack's knobs by Linux's names: ``stack.sysctl["tcp_rmem"] = "4096 131072 6291456"``.

    An unknown name is a KeyError, a bad value a ValueError that says what would be valid.
    """

    def __init__(self, stack: _tcpstack.Stack) -> None:
        self._stack = stack

    def __getitem__(self, name: str) -> str:
        value = self._stack.sysctl_get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str | int) -> None:
        # True and False are the 1 and 0 that Linux writes.
        text = str(int(value)) if isinstance(value, bool) else str(value)
        self._stack.sysctl_set(name, text)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stack.sysctl_names())

    def __len__(self) -> int:
        return len(self._stack.sysctl_names())

    def __repr__(self) -> str:
        return f"<Sysctl {dict(self)!r}>"


class EventStream(Iterator[Event]):
    """What happens on a stack, from here on: iterate over it, or read() with a timeout.

    It ends when it or the stack is closed. Events that find the queue full are counted in
    ``dropped``; the stack never waits for its reader.
    """

    def __init__(self, queue: _tcpstack.EventQueue) -> None:
        self._queue = queue

    def read(self, timeout: float | None = None) -> Event | None:
        """The next event; None at the end, or when none came for ``timeout`` seconds."""
        line = self._queue.get(timeout)
        if line is None:
            return None
        event: Event = json.loads(line)
        return event

    @property
    def dropped(self) -> int:
        """How many events found the queue full."""
        return self._queue.dropped

    def close(self) -> None:
        """Ends the stream; what is queued can still be read."""
        self._queue.close()

    def __next__(self) -> Event:
        event = self.read()
        if event is None:
            raise StopIteration
        return event

    def __enter__(self) -> EventStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Stack(_tcpstack.Stack):
    """A TCP/IP stack on the network that ``url`` names: ``DEVICE?key=value&key=value``.

    >>> with tcpstack.Stack("unix:/tmp/net?addr=10.7.0.2/24") as stack:
    ...     sock = stack.socket()
    ...     sock.connect(("10.7.0.1", 8080))

    A bad URL is a ValueError, a device that cannot be opened an OSError; the message names the
    key. Without a URL it is the one that ``$TCPSTACK`` names, or ``unix:``.
    """

    def socket(self, family: int = AF_INET, type: int = SOCK_STREAM, proto: int = 0) -> socket:
        """A socket on this stack."""
        from ._socket import socket

        return socket(family, type, proto, stack=self)

    @property
    def sysctl(self) -> Sysctl:
        """The knobs, a mapping from Linux's names to text."""
        return Sysctl(self)

    def events(
        self, callback: Callable[[Event], object] | None = None, *, capacity: int = 65536
    ) -> EventStream:
        """The events from here on, at most ``capacity`` of them waiting to be read.

        With a callback, a thread of its own reads them and calls it with each, in order.
        """
        stream = EventStream(self.subscribe(capacity))
        if callback is not None:
            threading.Thread(
                target=_deliver, args=(stream, callback), name="tcpstack-events", daemon=True
            ).start()
        return stream

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Stack {self.url}{' [closed]' if self.closed else ''}>"


def _deliver(stream: EventStream, callback: Callable[[Event], object]) -> None:
    for event in stream:
        callback(event)


_default: Stack | None = None
_default_lock = threading.Lock()


def default_stack() -> Stack:
    """The stack for sockets that name none: from use(), else $TCPSTACK, else ``unix:``."""
    global _default
    with _default_lock:
        if _default is None or _default.closed:
            _default = Stack()
        return _default


def use(stack: Stack | str | None) -> Stack | None:
    """Makes a stack, or the one that a URL names, the default, and returns it.

    None leaves no default: the next socket opens $TCPSTACK.
    """
    global _default
    if isinstance(stack, str):
        stack = Stack(stack)
    with _default_lock:
        _default = stack
    return stack


def current_default() -> Stack | None:
    """The default stack if there is one by now."""
    return _default

