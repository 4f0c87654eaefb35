"""Fetches http://HOST:PORT/PATH with http.client and prints the body's SHA-256: a plain program that
knows only the standard library. `python -m tcpstack URL fetch.py HOST PORT PATH` runs it over this stack.
"""

import hashlib
import http.client
import sys

host, port, path = sys.argv[1:]
connection = http.client.HTTPConnection(host, int(port))
connection.request("GET", path)
response = connection.getresponse()
if response.status != 200:
    sys.exit(f"{response.status} {response.reason}")
digest = hashlib.sha256()
while block := response.read(1 << 20):
    digest.update(block)
connection.close()
print(digest.hexdigest())
