"""A client that has said everything, and goes on listening: a half close."""

import socket

sock = socket.socket()
sock.connect(("10.0.0.2", 80))
sock.sendall(b"three, please")
sock.shutdown(socket.SHUT_WR)
while data := sock.recv(4096):
    pass
sock.close()
