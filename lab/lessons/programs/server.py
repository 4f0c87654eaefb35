"""The textbook server: it gives back what it receives."""

import socket

listener = socket.socket()
listener.bind(("", 80))
listener.listen(16)

while True:
    connection, address = listener.accept()
    while data := connection.recv(4096):
        connection.sendall(data)
    connection.close()
