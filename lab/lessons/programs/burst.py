"""A client with as much to say as it is told to, and then nothing for a while."""

import socket
import sys
import time

size = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000

sock = socket.socket()
sock.connect(("10.0.0.2", 80))
sock.sendall(b"x" * size)
time.sleep(3)
sock.close()
