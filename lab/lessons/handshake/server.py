import socket

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(("", 80))
listener.listen(16)

fd, peer = listener.accept()
while question := fd.recv(4096):
    fd.send(question)
fd.close()
listener.close()
