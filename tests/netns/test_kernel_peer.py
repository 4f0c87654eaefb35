"""This stack and the Linux kernel's, as curl, http.server and ping see them."""

import subprocess
import unittest

import capture
from peers import HTTP_FILE, STACK, Namespace, random_file, url
from transfers import curl_from_c_server, python_client_from_http_server

LARGE = 200_000_000
SMALL = 10_000_000


class KernelPeer(unittest.TestCase):
    def setUp(self):
        self.namespace = self.enterContext(Namespace())

    def assert_clean(self, pcap, packets):
        self.assertGreater(capture.packet_count(pcap), packets)
        self.assertEqual(capture.unexpected(pcap), [])

    def test_curl_fetches_200_mb_from_the_c_server(self):
        self.assertEqual(*curl_from_c_server(self.namespace, 4, LARGE))

    def test_curl_fetches_200_mb_from_the_c_server_over_ipv6(self):
        self.assertEqual(*curl_from_c_server(self.namespace, 6, LARGE))

    def test_curl_fetches_200_mb_from_the_c_server_without_offload(self):
        self.assertEqual(*curl_from_c_server(self.namespace, 4, LARGE, offload="off"))

    def test_http_server_serves_200_mb_to_a_python_client(self):
        self.assertEqual(*python_client_from_http_server(self.namespace, 4, LARGE))

    def test_http_server_serves_200_mb_to_a_python_client_over_ipv6(self):
        self.assertEqual(*python_client_from_http_server(self.namespace, 6, LARGE))

    def test_http_server_serves_200_mb_to_a_python_client_without_offload(self):
        self.assertEqual(*python_client_from_http_server(self.namespace, 4, LARGE, offload="off"))

    def test_tshark_finds_nothing_wrong_in_what_the_c_server_sends(self):
        for version in (4, 6):
            for offload in ("on", "off"):
                with self.subTest(version=version, offload=offload), Namespace() as namespace:
                    pcap = namespace.directory / "server.pcapng"
                    keys = {"pcap": pcap, "offload": offload}
                    self.assertEqual(*curl_from_c_server(namespace, version, SMALL, **keys))
                    self.assert_clean(pcap, SMALL // 1460)

    def test_tshark_finds_nothing_wrong_in_what_the_python_client_sends(self):
        for version in (4, 6):
            for offload in ("on", "off"):
                with self.subTest(version=version, offload=offload), Namespace() as namespace:
                    pcap = namespace.directory / "client.pcapng"
                    keys = {"pcap": pcap, "offload": offload}
                    self.assertEqual(*python_client_from_http_server(namespace, version, SMALL, **keys))
                    self.assert_clean(pcap, SMALL // 1460)

    def test_the_stack_answers_ping(self):
        pcap = self.namespace.directory / "ping.pcapng"
        file, _ = random_file(self.namespace.directory, 1)
        self.namespace.start(HTTP_FILE, file, 1, 8080, url(pcap=pcap))
        for version in (4, 6):
            for size in (0, 56, 1400):
                self.namespace.run("ping", "-c", 3, "-i", 0.01, "-w", 5, "-s", size, STACK[version])
        self.assertEqual(capture.unexpected(pcap), [])

    def test_a_port_that_nobody_listens_on_refuses_curl(self):
        file, _ = random_file(self.namespace.directory, 1)
        self.namespace.start(HTTP_FILE, file, 1, 8080, url())
        # curl's 7: it could not connect. A packet that is not answered would take it much longer.
        with self.assertRaisesRegex(AssertionError, "status 7"):
            self.namespace.run("curl", "-sS", "-m", 5, "--noproxy", "*", f"http://{STACK[4]}:8081/")


class Judge(unittest.TestCase):
    def test_one_flipped_bit_in_a_capture_is_found(self):
        with Namespace() as namespace:
            pcap = namespace.directory / "server.pcapng"
            curl_from_c_server(namespace, 4, 100_000, pcap=pcap)
            self.assertEqual(capture.unexpected(pcap), [])
            content = (namespace.directory / "data.bin").read_bytes()
            damaged = bytearray(pcap.read_bytes())
            damaged[damaged.index(content[50_000:50_020])] ^= 1
            pcap.write_bytes(damaged)
            self.assertRegex(str(capture.unexpected(pcap)), "(?i)bad checksum")


class Leftovers(unittest.TestCase):
    def test_a_namespace_is_gone_after_its_test_even_when_that_failed(self):
        with self.assertRaises(ZeroDivisionError), Namespace() as namespace:
            1 / 0
        listed = subprocess.run(["ip", "netns", "list"], stdout=subprocess.PIPE, text=True, check=True)
        self.assertNotIn(namespace.name, listed.stdout)


if __name__ == "__main__":
    unittest.main()
