"""This stack beside the Linux kernel's with each congestion control, with each option turned off on
either side in turn, and with a router between them that drops, reorders and marks congestion."""

import itertools
import unittest

import capture
from peers import Namespace
from router import BEYOND, Router
from transfers import curl_from_c_server, python_client_from_http_server

SIZE = 5_000_000
CONTROLS = ["reno", "cubic", "bbr"]
OPTIONS = ["tcp_sack", "tcp_dsack", "tcp_timestamps", "tcp_window_scaling"]


def exchange_across(test, router, **keys):
    """A file each way between the stack and the kernel behind the router, whole."""
    test.assertEqual(*curl_from_c_server(router, 4, SIZE, client=router.peer, **keys))
    server = (router.peer, BEYOND)
    test.assertEqual(*python_client_from_http_server(router, 4, SIZE, server=server, **keys))


class CongestionControl(unittest.TestCase):
    def test_each_control_sends_to_each_control_of_the_kernel(self):
        for ours, theirs in itertools.product(CONTROLS, CONTROLS):
            with self.subTest(ours=ours, theirs=theirs), Router() as router:
                router.control_at_peer(theirs)
                exchange_across(self, router, tcp_congestion_control=ours)


class Options(unittest.TestCase):
    def exchange(self, kernel, stack):
        with Namespace() as namespace:
            namespace.sysctl(**kernel)
            self.assertEqual(*curl_from_c_server(namespace, 4, SIZE, **stack))
            self.assertEqual(*python_client_from_http_server(namespace, 4, SIZE, **stack))

    def test_each_option_may_be_off_at_the_kernel(self):
        for option in OPTIONS:
            with self.subTest(option=option):
                self.exchange({option: 0}, {})

    def test_each_option_may_be_off_at_the_stack(self):
        for option in OPTIONS:
            with self.subTest(option=option):
                self.exchange({}, {option: 0})

    def test_ecn_may_be_asked_for_by_either_both_or_none(self):
        for theirs, ours in itertools.product([0, 1, 2], [0, 1, 2]):
            with self.subTest(kernel=theirs, stack=ours):
                self.exchange({"tcp_ecn": theirs}, {"tcp_ecn": ours})


class Routed(unittest.TestCase):
    def test_a_router_that_drops_one_in_a_hundred_is_overcome(self):
        for control in CONTROLS:
            with self.subTest(control=control), Router(drop=10) as router:
                exchange_across(self, router, offload="off", tcp_congestion_control=control)

    def test_a_router_that_drops_is_overcome_without_sack_and_without_timestamps(self):
        for option in ["tcp_sack", "tcp_timestamps"]:
            with self.subTest(option=option), Router(drop=10) as router:
                exchange_across(self, router, offload="off", **{option: 0})

    def test_a_path_that_reorders_is_overcome(self):
        with Router() as router:
            exchange_across(self, router, offload="off", reorder="3%", delay="2ms")

    def test_a_router_that_drops_while_the_path_reorders_is_overcome(self):
        with Router(drop=10) as router:
            exchange_across(self, router, offload="off", reorder="3%", delay="2ms")

    def test_a_router_that_marks_congestion_is_heard_both_ways(self):
        with Router(mark=20) as router:
            router.peer.sysctl(tcp_ecn=1)
            pcap = router.directory / "marked.pcapng"
            keys = {"offload": "off", "tcp_ecn": 1, "pcap": pcap}
            self.assertEqual(*curl_from_c_server(router, 4, SIZE, client=router.peer, **keys))
            # The kernel echoes the marks on what we sent, and we answer once a window.
            self.assertGreater(capture.count(pcap, "tcp.flags.ece == 1 && ip.dst == 10.77.0.2"), 10)
            self.assertGreater(capture.count(pcap, "tcp.flags.cwr == 1 && ip.src == 10.77.0.2"), 1)
            server = (router.peer, BEYOND)
            self.assertEqual(*python_client_from_http_server(router, 4, SIZE, server=server, **keys))
            # Now it is the kernel that sends: we echo, it reduces.
            self.assertGreater(capture.count(pcap, "ip.dsfield.ecn == 3 && ip.dst == 10.77.0.2"), 10)
            self.assertGreater(capture.count(pcap, "tcp.flags.ece == 1 && ip.src == 10.77.0.2"), 10)
            self.assertGreater(capture.count(pcap, "tcp.flags.cwr == 1 && ip.dst == 10.77.0.2"), 1)


if __name__ == "__main__":
    unittest.main()
