"""TLS runs over a bridged descriptor: OpenSSL reads and writes the descriptor itself."""

from __future__ import annotations

import http.client
import http.server
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

import tcpstack
from conftest import PATIENCE_SECONDS, Background, Pair


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate and its key, made for this run, in one file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    names = ["-subj", "/CN=alice.test", "-addext", "subjectAltName=DNS:alice.test"]
    files = ["-keyout", str(path) + ".key", "-out", str(path) + ".crt"]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    path.write_bytes(Path(f"{path}.key").read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.fixture
def server_context(certificate: Path) -> ssl.SSLContext:
    """Proves that it is alice.test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def client_context(certificate: Path) -> ssl.SSLContext:
    """Believes alice.test, and nobody else."""
    return ssl.create_default_context(cafile=str(certificate))


def test_tls_over_a_connection(
    pair: Pair,
    server_context: ssl.SSLContext,
    client_context: ssl.SSLContext,
    background: Background,
) -> None:
    far, near = pair

    def echo() -> None:
        with server_context.wrap_socket(far, server_side=True) as tls:
            while data := tls.recv(65536):
                tls.sendall(data)

    background(echo)
    with client_context.wrap_socket(near, server_hostname="alice.test") as tls:
        assert tls.version() == "TLSv1.3"
        for size in (1, 1000, 100_000):
            tls.sendall(b"x" * size)
            received = 0
            while received < size:
                received += len(tls.recv(65536))


def test_a_wrong_name_is_refused(
    pair: Pair,
    server_context: ssl.SSLContext,
    client_context: ssl.SSLContext,
    background: Background,
) -> None:
    far, near = pair

    def greet() -> None:
        with pytest.raises(OSError):
            server_context.wrap_socket(far, server_side=True).recv(1)

    background(greet)
    with pytest.raises(ssl.SSLCertVerificationError):
        client_context.wrap_socket(near, server_hostname="mallory.test")


def test_https_server_and_client_run_unchanged_when_patched(
    alice: tcpstack.Stack, server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"hello, {self.client_address[0]}".encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    client_context.check_hostname = False
    with (
        tcpstack.patched(alice),
        http.server.ThreadingHTTPServer(("127.0.0.1", 7700), Hello) as server,
    ):
        # The listening socket is wrapped: what it accepts speaks TLS.
        server.socket = server_context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        connection = http.client.HTTPSConnection(
            "127.0.0.1", 7700, timeout=PATIENCE_SECONDS, context=client_context
        )
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"hello, 127.0.0.1"
        connection.close()
        server.shutdown()
        thread.join()
