"""Moves bytes through one connection with the Python package; `bulk.c` does the same in C.

    bulk.py receive URL           listens, and prints how many Gbit/s came from accept to the end
    bulk.py send URL AMOUNT       connects and sends so many bytes
"""

import sys
import time

import tcpstack

SERVER = ("10.7.0.1", 5001)
CALL = 65536


def receive(listener):
    listener.bind(SERVER)
    listener.listen(1)
    print("listening", flush=True)
    connection, _ = listener.accept()
    started, received, data = time.perf_counter(), 0, bytearray(CALL)
    while count := connection.recv_into(data):
        received += count
    print(received * 8 / (time.perf_counter() - started) / 1e9)
    connection.close()


def send(connection, left):
    connection.connect(SERVER)
    data = memoryview(bytes([7]) * CALL)
    while left > 0:
        piece = data[:left]
        connection.sendall(piece)
        left -= len(piece)


role, url, *amount = sys.argv[1:]
with tcpstack.Stack(url) as stack, stack.socket() as socket:
    if role == "receive":
        receive(socket)
    else:
        send(socket, int(amount[0]))
