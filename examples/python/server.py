"""A TCP server: socket, bind, listen, accept, recv and sendall, close.

    server.py [CLIENTS [PORT [URL]]]      1 client, port 8080, the network that $TCPSTACK names

It answers one client after another with what the client sent.
"""

import sys

import tcpstack

clients = int(sys.argv[1]) if len(sys.argv) > 1 else 1
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8080
stack = tcpstack.Stack(sys.argv[3]) if len(sys.argv) > 3 else tcpstack.default_stack()

with stack, stack.socket() as listener:  # CLOSED
    listener.bind(("", port))  # any address of this stack
    listener.listen(16)  # CLOSED -> LISTEN
    print(f"server: listening on port {port}", flush=True)

    for _ in range(clients):
        # While this waits the stack answers SYN seq=J with SYN+ACK seq=K ack=J+1; the client's ACK
        # ack=K+1 makes the connection ESTABLISHED, and this returns.
        connection, address = listener.accept()
        with connection:
            while data := connection.recv(4096):
                print(f"server: received {len(data)} bytes", flush=True)
                connection.sendall(data)
        # recv gave b"": the client's FIN has arrived, we were in CLOSE_WAIT. The end of `with` is
        # close, which sends ours -> LAST_ACK; the client's ACK of it -> CLOSED.
