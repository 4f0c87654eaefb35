"""A TCP client: socket, connect, sendall and recv, close.

    client.py ADDRESS [PORT [TEXT [URL]]]      port 8080, "hello", the network that $TCPSTACK names

It sends TEXT and prints as many bytes as come back.
"""

import sys

import tcpstack

if len(sys.argv) < 2:
    sys.exit("usage: client.py ADDRESS [PORT [TEXT [URL]]]")
server = sys.argv[1]
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8080
text = (sys.argv[3] if len(sys.argv) > 3 else "hello").encode()
stack = tcpstack.Stack(sys.argv[4]) if len(sys.argv) > 4 else tcpstack.default_stack()

with stack, stack.socket() as connection:  # CLOSED
    # SYN seq=J goes out -> SYN_SENT. SYN+ACK seq=K ack=J+1 comes back, ACK ack=K+1 goes out
    # -> ESTABLISHED, and this returns.
    connection.connect((server, port))

    # The bytes are numbered J+1 ... J+len; the server's ACK says up to which it has them.
    connection.sendall(text)

    received = 0
    while received < len(text):
        data = connection.recv(4096)
        if not data:
            break  # the server's FIN came first
        print(f'client: received "{data.decode(errors="replace")}"')
        received += len(data)
# We close first: FIN goes out -> FIN_WAIT_1, its ACK comes -> FIN_WAIT_2, the server's FIN comes
# and is acknowledged -> TIME_WAIT, for 2 MSL.
