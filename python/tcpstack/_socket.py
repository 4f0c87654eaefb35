"""The standard socket class over this TCP.

``socket`` is ``socket.socket`` on a kernel descriptor, so everything that only waits is left to the
standard class. What is overridden here is what only the stack knows: addresses, connecting,
listening, options, errors. Bytes go one of two ways:

* *direct*, straight between the program's memory and the stack, as long as nobody has asked for the
  descriptor's number;
* *bridged*, through the descriptor itself, from the first ``fileno()`` on and for good. With it come
  ``select``, ``selectors``, asyncio, ``ssl``, ``dup()``, ``detach()``, ``sendfile()`` and all else
  that takes a descriptor. A fork does the same to every socket, as the child has nothing else.

Bytes keep their order when the way changes, and a call that is under way on another thread goes on.
"""

from __future__ import annotations

import errno
import os
import socket as _std
import ssl
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from . import _tcpstack
from ._stack import Stack, default_stack

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_T = TypeVar("_T")

_FAMILIES = (_std.AF_INET, _std.AF_INET6)
_WILDCARD = {_std.AF_INET: "0.0.0.0", _std.AF_INET6: "::"}
_TYPE_FLAGS = _std.SOCK_NONBLOCK | _std.SOCK_CLOEXEC

# Kept in the descriptor, where recv() and send() of a bridged socket wait; setting one makes it so.
_OPTIONS_OF_THE_DESCRIPTOR = (
    (_std.SOL_SOCKET, _std.SO_RCVTIMEO),
    (_std.SOL_SOCKET, _std.SO_SNDTIMEO),
)

# How the descriptor says that there is no connection behind it (any more); TCP knows why.
_GONE = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EINVAL)

# Not given: socket.getdefaulttimeout(). The standard module's own, as programs pass it on.
_DEFAULT_TIMEOUT: Any = getattr(_std, "_GLOBAL_DEFAULT_TIMEOUT")

Address = tuple[Any, ...]


class socket(_std.socket):
    """``socket.socket``, with TCP over IPv4 and IPv6 done by a stack instead of the kernel.

    Other families and types are the kernel's, as ever. ``stack`` says which stack (the default
    one otherwise). Until its ``fileno()`` is asked for, bytes go straight to the stack, which is
    several times as fast.
    """

    _tcp = False
    _listens = False
    _direct: _tcpstack.Direct | None = None

    def __init__(
        self,
        family: int = -1,
        type: int = -1,
        proto: int = -1,
        fileno: int | None = None,
        *,
        stack: _tcpstack.Stack | None = None,
    ) -> None:
        if fileno is not None:
            ours = _tcpstack.family(fileno)
            if ours is not None and family == -1:
                family, type, proto = ours, _std.SOCK_STREAM, 0
            super().__init__(family, type, proto, fileno)
            if ours is not None:
                _tcpstack.hand_out(fileno)
                self._tcp = True
                self._listens = _tcpstack.info(fileno).state == "LISTEN"
            return
        family = _std.AF_INET if family == -1 else family
        type = _std.SOCK_STREAM if type == -1 else type
        proto = 0 if proto == -1 else proto
        if not _is_tcp(family, type, proto):
            super().__init__(family, type, proto)
            return
        nonblocking = bool(type & _std.SOCK_NONBLOCK)
        fd = _tcpstack.open(stack or default_stack(), family, nonblocking)
        self._take(family, type, proto, fd)

    def _take(self, family: int, type: int, proto: int, fd: int) -> None:
        """Becomes the socket behind a descriptor that nobody has asked for."""
        try:
            super().__init__(family, type, proto, fd)
        except BaseException:
            _tcpstack.close(fd)
            raise
        self._tcp = True
        self._direct = _tcpstack.direct(fd)

    # ---- the descriptor ----------------------------------------------------------------------

    def fileno(self) -> int:
        number = super().fileno()
        if self._direct is not None:
            _tcpstack.hand_out(number)
            self._direct = None
        return number

    def detach(self) -> int:
        self.fileno()
        return super().detach()

    def _number(self) -> int:
        """The descriptor's number for the stack, which asks for nothing."""
        return super().fileno()

    def __repr__(self) -> str:
        # The standard one would ask for the number, only to show it.
        closed = " [closed]" if self._closed else ""  # type: ignore[attr-defined]
        text = f"<{self.__class__.__module__}.{self.__class__.__qualname__}{closed}"
        text += f" fd={self._number()}, family={self.family}, type={self.type}, proto={self.proto}"
        for name, address in (("laddr", self.getsockname), ("raddr", self.getpeername)):
            try:
                text += f", {name}={address()}"
            except OSError:
                pass
        return text + ">"

    # ---- addresses and the handshake ---------------------------------------------------------

    def bind(self, address: Any, /) -> None:
        if not self._tcp:
            return super().bind(address)
        _tcpstack.bind(self._number(), _numeric(self.family, address))

    def listen(self, backlog: int = 128, /) -> None:
        if not self._tcp:
            return super().listen(backlog)
        _tcpstack.listen(self._number(), backlog)
        self._listens = True

    def accept(self) -> tuple[_std.socket, Any]:
        if not self._tcp:
            return super().accept()
        fd, address = _tcpstack.accept(self._number(), self.gettimeout())
        child = socket.__new__(socket)
        child._take(self.family, self.type, self.proto, fd)
        return child, address

    def connect(self, address: Any, /) -> None:
        if not self._tcp:
            return super().connect(address)
        self._connect(address)

    def connect_ex(self, address: Any, /) -> int:
        if not self._tcp:
            return super().connect_ex(address)
        try:
            self._connect(address)
        except _std.gaierror:
            raise
        except OSError as error:
            # Only a timeout has no number of its own; the standard class gives this one.
            return error.errno or errno.EAGAIN
        return 0

    def _connect(self, address: Any) -> None:
        numeric = _numeric(self.family, address)
        _tcpstack.connect(self._number(), numeric, self.gettimeout())

    def getsockname(self) -> Any:
        if not self._tcp:
            return super().getsockname()
        return _tcpstack.getsockname(self._number())

    def getpeername(self) -> Any:
        if not self._tcp:
            return super().getpeername()
        return _tcpstack.getpeername(self._number())

    # ---- options -----------------------------------------------------------------------------

    @overload
    def getsockopt(self, level: int, optname: int, /) -> int: ...
    @overload
    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes: ...
    def getsockopt(self, level: int, optname: int, buflen: int = 0, /) -> int | bytes:
        if not self._tcp or (level, optname) in _OPTIONS_OF_THE_DESCRIPTOR:
            return super().getsockopt(level, optname, buflen)
        return _tcpstack.getsockopt(self._number(), level, optname, buflen)

    @overload
    def setsockopt(self, level: int, optname: int, value: int | ReadableBuffer, /) -> None: ...
    @overload
    def setsockopt(self, level: int, optname: int, value: None, optlen: int, /) -> None: ...
    def setsockopt(self, level: int, optname: int, value: Any, optlen: int = 0, /) -> None:
        if not self._tcp or (level, optname) in _OPTIONS_OF_THE_DESCRIPTOR:
            self.fileno()
            arguments = (level, optname, value, optlen) if value is None else (level, optname, value)
            return super().setsockopt(*arguments)
        _tcpstack.setsockopt(self._number(), level, optname, bytes(optlen) if value is None else value)

    # ---- bytes: straight; or by the standard class, and TCP's error explains an end -------------

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        if direct := self._direct:
            try:
                return direct.recv(bufsize, flags, self.gettimeout())
            except _tcpstack.HandedOut:
                self._direct = None
        return self._receive(flags, super().recv, bufsize, flags)

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        if direct := self._direct:
            try:
                return direct.recv_into(buffer, nbytes, flags, self.gettimeout())
            except _tcpstack.HandedOut:
                self._direct = None
        return self._receive(flags, super().recv_into, buffer, nbytes, flags)

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        if not self._tcp:
            return super().recvfrom(bufsize, flags)
        return self.recv(bufsize, flags), None

    def recvfrom_into(
        self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0
    ) -> tuple[int, Any]:
        if not self._tcp:
            return super().recvfrom_into(buffer, nbytes, flags)
        return self.recv_into(buffer, nbytes, flags), None

    def recvmsg(
        self, bufsize: int, ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, Any]:
        if not self._tcp:
            return super().recvmsg(bufsize, ancbufsize, flags)
        return self.recv(bufsize, flags), [], 0, None

    def recvmsg_into(
        self, buffers: Iterable[WriteableBuffer], ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[int, list[tuple[int, int, bytes]], int, Any]:
        # Once at most: an iterator does not come twice.
        buffers = list(buffers)
        if direct := self._direct:
            try:
                return direct.recvmsg_into(buffers, flags, self.gettimeout()), [], 0, None
            except _tcpstack.HandedOut:
                self._direct = None
        return self._receive(flags, super().recvmsg_into, buffers, ancbufsize, flags)

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        if direct := self._direct:
            try:
                return direct.send(data, flags, self.gettimeout())
            except _tcpstack.HandedOut:
                self._direct = None
        return self._send(flags, super().send, data, flags)

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        if direct := self._direct:
            try:
                return direct.sendall(data, flags, self.gettimeout())
            except _tcpstack.HandedOut:
                self._direct = None
        return self._send(flags, super().sendall, data, flags)

    def sendmsg(
        self,
        buffers: Iterable[ReadableBuffer],
        ancdata: Iterable[tuple[int, int, ReadableBuffer]] = (),
        flags: int = 0,
        address: Any = None,
        /,
    ) -> int:
        if not self._tcp:
            return super().sendmsg(buffers, ancdata, flags, address)
        buffers = list(buffers)
        if direct := self._direct:
            try:
                return direct.sendmsg(buffers, flags, self.gettimeout())
            except _tcpstack.HandedOut:
                self._direct = None
        return self._send(flags, super().sendmsg, buffers, (), flags)

    def sendto(self, data: ReadableBuffer, *arguments: Any) -> int:
        if not self._tcp:
            return super().sendto(data, *arguments)
        # On a connected stream the address does not matter (POSIX).
        return self.send(data, arguments[0] if len(arguments) > 1 else 0)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        return self._send(0, super().sendfile, file, offset, count)

    def _receive(self, flags: int, call: Callable[..., _T], *arguments: Any) -> _T:
        """Receives; at the end of the stream, raises the error that ended it, if one did."""
        self._check(flags, errno.ENOTCONN)
        try:
            result = call(*arguments)
        except OSError as error:
            if self._tcp and error.errno in _GONE:
                self._raise_pending(errno.ENOTCONN if error.errno == errno.EINVAL else error.errno)
            raise
        if self._tcp and not (result[0] if isinstance(result, tuple) else result):
            self._raise_pending(0)
        return result

    def _send(self, flags: int, call: Callable[..., _T], *arguments: Any) -> _T:
        """Sends; when the connection is gone, raises TCP's reason for it."""
        self._check(flags, errno.EPIPE)
        try:
            return call(*arguments)
        except OSError as error:
            if self._tcp and error.errno in _GONE:
                self._raise_pending(errno.EPIPE)
            raise

    def _check(self, flags: int, listening: int) -> None:
        """Refuses what the descriptor would do although there is no such thing in TCP or in this stack."""
        if self._listens:
            raise OSError(listening, os.strerror(listening))
        if flags & _std.MSG_OOB and self._tcp:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    def _raise_pending(self, otherwise: int) -> None:
        """Raises the connection's pending error, or else the one with this number, if any."""
        if number := _tcpstack.take_error(self._number()) or otherwise:
            raise OSError(number, os.strerror(number)) from None

    # ---- the end -----------------------------------------------------------------------------

    def shutdown(self, how: int, /) -> None:
        if not (self._tcp and _tcpstack.shutdown(self._number(), how)):
            super().shutdown(how)

    # Arguments and not globals: this also runs while the interpreter is being taken down.
    def _real_close(
        self,
        _ss: type[_std.socket] = _std.socket,
        _close: Callable[[int], None] = _tcpstack.close,
    ) -> None:
        if not self._tcp:
            _ss._real_close(self)  # type: ignore[attr-defined]
            return
        # A closed socket keeps no stack open.
        self._direct = None
        if (fd := _ss.detach(self)) >= 0:
            _close(fd)


socket.__module__ = "tcpstack"


# SSLSocket refuses recvmsg() and sendmsg(), whatever their arguments.
class SSLSocket(ssl.SSLSocket, socket):  # type: ignore[misc]
    """``ssl.SSLSocket`` over ``tcpstack.socket``: also listens, and names its peers.

    ``context.sslsocket_class = tcpstack.SSLSocket`` makes a context use it; patched() does so.
    """


def _is_tcp(family: int, type: int, proto: int) -> bool:
    """Whether a stack takes such a socket; all others are the kernel's."""
    stream = type & ~_TYPE_FLAGS == _std.SOCK_STREAM
    return family in _FAMILIES and stream and proto in (0, _std.IPPROTO_TCP)


def _numeric(family: int, address: Any) -> Address:
    """``address`` with its host as a number, looked up as the standard class does it."""
    if not isinstance(address, tuple) or not address:
        raise TypeError(f"an address is a tuple (host, port), not {address!r}")
    host, *rest = address
    if isinstance(host, bytes | bytearray):
        host = host.decode()
    if host == "":
        return (_WILDCARD[_std.AddressFamily(family)], *rest)
    try:
        _std.inet_pton(family, host)
    except OSError:
        host = _std.getaddrinfo(host, None, family, _std.SOCK_STREAM)[0][4][0]
    return (host, *rest)


def create_connection(
    address: tuple[str | None, int],
    timeout: float | None = _DEFAULT_TIMEOUT,
    source_address: tuple[str, int] | None = None,
    *,
    all_errors: bool = False,
    stack: Stack | None = None,
) -> socket:
    """``socket.create_connection`` over a stack: tries each address of the host in turn."""
    errors: list[OSError] = []
    for family, kind, proto, _, target in _std.getaddrinfo(*address, type=_std.SOCK_STREAM):
        sock = socket(family, kind, proto, stack=stack)
        try:
            if timeout is not _DEFAULT_TIMEOUT:
                sock.settimeout(timeout)
            if source_address:
                sock.bind(source_address)
            sock.connect(target)
            return sock
        except OSError as error:
            sock.close()
            errors.append(error)
        except BaseException:
            sock.close()
            raise
    try:
        if not errors:
            raise OSError("getaddrinfo returns an empty list")
        if all_errors:
            raise ExceptionGroup("create_connection failed", errors)
        raise errors[-1]
    finally:
        # An error holds its traceback, which holds this list.
        errors.clear()


def create_server(
    address: Address,
    *,
    family: int = _std.AF_INET,
    backlog: int | None = None,
    reuse_port: bool = False,
    dualstack_ipv6: bool = False,
    stack: Stack | None = None,
) -> socket:
    """``socket.create_server`` over a stack: a socket bound to ``address`` that listens."""
    if dualstack_ipv6 and family != _std.AF_INET6:
        raise ValueError("dualstack_ipv6 requires AF_INET6 family")
    sock = socket(family, _std.SOCK_STREAM, stack=stack)
    try:
        sock.setsockopt(_std.SOL_SOCKET, _std.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(_std.SOL_SOCKET, _std.SO_REUSEPORT, 1)
        if family == _std.AF_INET6:
            sock.setsockopt(_std.IPPROTO_IPV6, _std.IPV6_V6ONLY, int(not dualstack_ipv6))
        try:
            sock.bind(address)
        except OSError as error:
            where = f"{error.strerror} (while attempting to bind on address {address!r})"
            raise OSError(error.errno, where) from None
        sock.listen(128 if backlog is None else backlog)
        return sock
    except BaseException:
        sock.close()
        raise


def info(
    sock: _std.socket | _tcpstack.TcpStream | _tcpstack.TcpListener,
) -> _tcpstack.ConnectionInfo:
    """State, addresses and queues of a connection at this moment."""
    if isinstance(sock, _std.socket):
        return _tcpstack.info(_std.socket.fileno(sock))
    return sock.info()


def tcp_info(sock: _std.socket | _tcpstack.TcpStream) -> _tcpstack.TcpInfo:
    """What TCP_INFO tells of a connection at this moment; times are seconds."""
    if isinstance(sock, _std.socket):
        return _tcpstack.tcp_info(_std.socket.fileno(sock))
    return sock.tcp_info()
