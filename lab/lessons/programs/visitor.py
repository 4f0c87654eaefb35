"""A client that connects, stays for a moment and says nothing."""

import socket
import time

sock = socket.socket()
sock.connect(("10.0.0.2", 80))
time.sleep(0.2)
sock.close()
