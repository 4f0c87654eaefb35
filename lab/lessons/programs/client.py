"""The textbook client: it says hello and waits for the answer."""

import socket

sock = socket.socket()
sock.connect(("10.0.0.2", 80))
sock.sendall(b"hello")
data = sock.recv(4096)
sock.close()
