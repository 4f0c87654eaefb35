"""A server that reads to the end, and keeps nothing."""

import socket

listener = socket.socket()
listener.bind(("", 80))
listener.listen(16)

connection, address = listener.accept()
while connection.recv(4096):
    pass
connection.close()
