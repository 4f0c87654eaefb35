"""A server that reads to the end, and then has three things to say."""

import socket
import time

listener = socket.socket()
listener.bind(("", 80))
listener.listen(16)

connection, address = listener.accept()
while connection.recv(4096):
    pass
for count in range(3):
    connection.sendall(b"here you are")
    time.sleep(0.1)
connection.close()
