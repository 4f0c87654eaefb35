"""One end of a connection that carries random data both ways at once, on the fast path.

    both_ways.py URL listen|SERVER BYTES SEED

Sends BYTES bytes made from SEED while it reads, and prints two SHA-256: of what it sent and of what it
read. It ends when its standard input does: until then TIME_WAIT answers a peer whose last ACK was lost.
"""

import hashlib
import random
import socket
import sys
import threading

import tcpstack

PORT = 9000
BLOCK = 1 << 18

url, peer, size, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


def connected(stack):
    if peer != "listen":
        return tcpstack.TcpStream.connect((peer, PORT), stack)
    listener = tcpstack.TcpListener.bind(("", PORT), stack)
    print("listening", flush=True)
    stream, _ = listener.accept()
    return stream


def send(stream, sent):
    source = random.Random(seed)
    for at in range(0, size, BLOCK):
        block = source.randbytes(min(BLOCK, size - at))
        sent.update(block)
        stream.sendall(block)
    stream.shutdown(socket.SHUT_WR)


with tcpstack.Stack(url) as stack:
    stream = connected(stack)
    sent, received = hashlib.sha256(), hashlib.sha256()
    sender = threading.Thread(target=send, args=(stream, sent))
    sender.start()
    while block := stream.recv(BLOCK):
        received.update(block)
    sender.join()
    stream.close()
    print(sent.hexdigest(), received.hexdigest(), flush=True)
    sys.stdin.read()
