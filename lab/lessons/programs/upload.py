"""A client with as much to say as it is told to."""

import socket
import sys

size = int(sys.argv[1]) if len(sys.argv) > 1 else 40_000

sock = socket.socket()
sock.connect(("10.0.0.2", 80))
sock.sendall(b"x" * size)
sock.close()
