import socket

fd = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
fd.connect(("10.0.0.2", 80))

fd.send(b"hello")
answer = fd.recv(4096)
fd.close()
