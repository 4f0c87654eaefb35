"""A complete TCP in userspace, as Python's own sockets.

Three ways to call it:

* ``tcpstack.socket`` is the standard ``socket.socket`` over this TCP: timeouts, ``makefile``,
  ``ssl``, ``selectors`` and ``asyncio`` work as ever.
* ``tcpstack.TcpStream`` and ``tcpstack.TcpListener`` go straight into the stack: the fast way.
* ``with tcpstack.patched():`` and ``python -m tcpstack URL script.py`` run programs unchanged.

``tcpstack.Run`` looks at TCP: ``Run.lesson(9)`` plays a lesson, ``Run.open("client.jsonl", ...)`` reads what
programs recorded. A run shows itself in a notebook, and is data.

Which network: ``tcpstack.use("unix:/tmp/net?addr=10.7.0.2/24")``, or ``$TCPSTACK``.
"""

from ._patched import patched
from ._run import Run
from ._socket import SSLSocket, create_connection, create_server, info, socket, tcp_info
from ._stack import Event, EventStream, Stack, Sysctl, default_stack, use
from ._tcpstack import ConnectionInfo, TcpInfo, TcpListener, TcpStream, __version__

__all__ = [
    "ConnectionInfo",
    "Event",
    "EventStream",
    "Run",
    "SSLSocket",
    "Stack",
    "Sysctl",
    "TcpInfo",
    "TcpListener",
    "TcpStream",
    "__version__",
    "create_connection",
    "create_server",
    "default_stack",
    "info",
    "patched",
    "socket",
    "tcp_info",
    "use",
]
