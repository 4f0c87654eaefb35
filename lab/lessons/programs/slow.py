"""A server that reads to the end, but only when it gets round to it."""

import socket
import time

listener = socket.socket()
listener.bind(("", 80))
listener.listen(16)

connection, address = listener.accept()
time.sleep(1)  # something else comes first
while connection.recv(4096):
    pass
connection.close()
