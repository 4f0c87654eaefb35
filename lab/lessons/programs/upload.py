"""A client that has a lot to say."""

import socket

sock = socket.socket()
sock.connect(("10.0.0.2", 80))
sock.sendall(b"x" * 500_000)
sock.close()
