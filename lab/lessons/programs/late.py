"""The textbook server, busy with something else before it accepts."""

import socket
import time

listener = socket.socket()
listener.bind(("", 80))
listener.listen(16)
time.sleep(0.3)  # something else comes first

connection, address = listener.accept()
while data := connection.recv(4096):
    connection.sendall(data)
connection.close()
