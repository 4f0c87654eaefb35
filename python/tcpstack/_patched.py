"""The standard module with this TCP in it, for programs that know nothing of it."""

from __future__ import annotations

import socket as _std
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from . import _socket
from ._stack import Stack, current_default, use

#: What is replaced, by the object that holds it. Everything in the standard library looks its
#: sockets up there when it makes one: http, socketserver, urllib, asyncio, xmlrpc, smtplib, ...
_REPLACED: tuple[tuple[object, str, object], ...] = (
    (_std, "socket", _socket.socket),
    (_std, "create_connection", _socket.create_connection),
    (_std, "create_server", _socket.create_server),
    (ssl.SSLContext, "sslsocket_class", _socket.SSLSocket),
)


def replace() -> tuple[object, ...]:
    """Puts this TCP's sockets into the standard library; returns what was there."""
    originals = tuple(getattr(holder, name) for holder, name, _ in _REPLACED)
    for holder, name, ours in _REPLACED:
        setattr(holder, name, ours)
    return originals


def restore(originals: tuple[object, ...]) -> None:
    """Puts back what replace() returned."""
    for (holder, name, _), original in zip(_REPLACED, originals, strict=True):
        setattr(holder, name, original)


@contextmanager
def patched(stack: Stack | str | None = None) -> Iterator[Stack | None]:
    """Inside, ``socket.socket`` and the functions around it are this TCP's, in every thread.

    >>> with tcpstack.patched("unix:/tmp/net?addr=10.7.0.2/24"):
    ...     urllib.request.urlopen("http://10.7.0.1:8000/")

    ``stack``, or the one that a URL names, is the default inside; a stack opened here is closed at
    the end. Names are still looked up by the kernel's resolver.
    """
    before = current_default()
    opened = Stack(stack) if isinstance(stack, str) else None
    chosen = opened or (None if isinstance(stack, str) else stack)
    if chosen is not None:
        use(chosen)
    originals = replace()
    try:
        yield chosen or before
    finally:
        restore(originals)
        if chosen is not None:
            use(before)
        if opened is not None:
            opened.close()
