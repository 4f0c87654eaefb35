"""Two hosts on a network of their own, in one process: alice (10.7.0.1) and bob (10.7.0.2)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import tcpstack

#: Nothing here takes so long; a test that hangs fails instead.
PATIENCE_SECONDS = 20.0

Background = Callable[..., "Future[Any]"]


@pytest.fixture
def network() -> Iterator[Path]:
    """A directory that is a network. Its path is short, as a unix socket's has to be."""
    path = tempfile.mkdtemp(prefix="tcps-", dir="/tmp")
    yield Path(path)
    shutil.rmtree(path)


def url_of(network: Path, number: int) -> str:
    """The URL of host `number` on the network."""
    return f"unix:{network}?addr=10.7.0.{number}/24&addr=fd07::{number}/64"


@pytest.fixture
def alice(network: Path) -> Iterator[tcpstack.Stack]:
    """The host with the servers: 10.7.0.1, fd07::1."""
    with tcpstack.Stack(url_of(network, 1)) as stack:
        yield stack


@pytest.fixture
def bob(network: Path) -> Iterator[tcpstack.Stack]:
    """The host with the clients: 10.7.0.2, fd07::2."""
    with tcpstack.Stack(url_of(network, 2)) as stack:
        yield stack


@pytest.fixture
def background() -> Iterator[Background]:
    """Runs a function on a thread; what it raised, if nobody asked, is raised at the end."""
    pool = ThreadPoolExecutor()
    futures: list[Future[Any]] = []

    def start(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future = pool.submit(function, *arguments)
        futures.append(future)
        return future

    yield start
    for future in futures:
        future.result(PATIENCE_SECONDS)
    pool.shutdown()


Pair = tuple[tcpstack.socket, tcpstack.socket]


@pytest.fixture
def direct_pair(alice: tcpstack.Stack, bob: tcpstack.Stack) -> Iterator[Pair]:
    """A connection: (alice's end, bob's end); bob connected."""
    with tcpstack.create_server(("10.7.0.1", 0), stack=alice) as server:
        near = bob.socket()
        near.settimeout(PATIENCE_SECONDS)
        near.connect(server.getsockname())
        far, _ = server.accept()
    assert isinstance(far, tcpstack.socket)
    far.settimeout(PATIENCE_SECONDS)
    with near, far:
        yield far, near


@pytest.fixture(params=["direct", "bridged"])
def pair(request: pytest.FixtureRequest, direct_pair: Pair) -> Pair:
    """The same; the bytes go straight to the stack, or through the descriptors."""
    if request.param == "bridged":
        for sock in direct_pair:
            sock.fileno()
    return direct_pair
