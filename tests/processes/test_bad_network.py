"""Two processes and a network that loses, delays, reorders, repeats and damages packets."""

import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

PROGRAM = Path(__file__).with_name("both_ways.py")

SIZE = 50_000_000

#: On one host: it impairs both directions of its link.
IMPAIRMENTS = "&loss=5%&delay=10ms&jitter=2ms&reorder=5%&duplicate=2%&corrupt=1%"

#: NewReno halves its window at each loss (RFC 5681), so at 6 % loss and 20 ms of round trip some six
#: segments are in flight, whatever their size (Mathis et al. 1997: 1.2 / sqrt(loss) per round trip).
#: With 1460 bytes each 50 MB take some four minutes; with 16 KB, as many losses for each segment sent
#: take half a minute.
MTU = 16384

PATIENCE_S = 300


class BadNetwork(unittest.TestCase):
    def setUp(self):
        self.network = self.enterContext(tempfile.TemporaryDirectory(prefix="tcps-", dir="/tmp"))

    def start(self, number, peer, impairments=""):
        """A process that is host `number` of the network."""
        url = f"unix:{self.network}?addr=10.7.0.{number}/24&mtu={MTU}&seed={number}{impairments}"
        command = [sys.executable, PROGRAM, url, peer, str(SIZE), str(number)]
        program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for cleanup in (program.stdout.close, program.wait, program.stdin.close):
            self.addCleanup(cleanup)
        timer = threading.Timer(PATIENCE_S, program.kill)
        timer.start()
        self.addCleanup(timer.cancel)
        return program

    def test_50_mb_each_way_at_once_arrive_whole(self):
        server = self.start(1, "listen", IMPAIRMENTS)
        self.assertEqual(server.stdout.readline(), "listening\n")
        client = self.start(2, "10.7.0.1")
        # A process that was killed for taking too long has printed nothing.
        client_sent, client_received = client.stdout.readline().split()
        server_sent, server_received = server.stdout.readline().split()
        self.assertEqual(client_sent, server_received)
        self.assertEqual(server_sent, client_received)


if __name__ == "__main__":
    unittest.main()
