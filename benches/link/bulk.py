"""Moves bytes through one connection with the Python package; `bulk.c` does the same in C.

    bulk.py receive URL [socket]          listens, and prints how many Gbit/s came from accept to the end
    bulk.py send URL AMOUNT [socket]      connects and sends so many bytes

With `socket` it is the one that stands in for `socket.socket`, which any program may select() on, in
place of `tcpstack.TcpStream`.
"""

import sys
import time

import tcpstack

SERVER = ("10.7.0.1", 5001)
CALL = 65536


def listen(stack, is_socket):
    if not is_socket:
        return tcpstack.TcpListener.bind(SERVER, stack)
    listener = stack.socket()
    listener.bind(SERVER)
    listener.listen(1)
    return listener


def receive(stack, is_socket):
    listener = listen(stack, is_socket)
    print("listening", flush=True)
    connection, _ = listener.accept()
    started, received, data = time.perf_counter(), 0, bytearray(CALL)
    while count := connection.recv_into(data):
        received += count
    print(received * 8 / (time.perf_counter() - started) / 1e9)
    connection.close()
    listener.close()


def connect(stack, is_socket):
    if not is_socket:
        return tcpstack.TcpStream.connect(SERVER, stack)
    connection = stack.socket()
    connection.connect(SERVER)
    return connection


def send(stack, is_socket, left):
    connection = connect(stack, is_socket)
    data = memoryview(bytes([7]) * CALL)
    while left > 0:
        piece = data[:left]
        connection.sendall(piece)
        left -= len(piece)
    connection.close()


def main():
    role, url, *rest = sys.argv[1:]
    with tcpstack.Stack(url) as stack:
        if role == "receive":
            receive(stack, "socket" in rest)
        else:
            send(stack, "socket" in rest, int(rest[0]))


main()
