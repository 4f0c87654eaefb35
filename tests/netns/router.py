"""A router between this stack and a kernel: it forwards, drops at random, and marks congestion.

The stack's TUN interface ends in the router's namespace; the kernel peer is in one of its own behind
a pair of virtual Ethernet interfaces, at 10.78.0.2.
"""

import subprocess

from peers import KERNEL, Namespace

#: The kernel peer behind the router.
BEYOND = "10.78.0.2"

#: The peer's route to the stack.
TO_THE_STACK = ["10.77.0.0/24", "via", "10.78.0.1"]

RULES = """
table inet router {{
    chain forward {{
        type filter hook forward priority 0;
        meta l4proto tcp numgen random mod 1000 < {drop} drop
        ip ecn != not-ect numgen random mod 1000 < {mark} ip ecn set ce
    }}
}}
"""


class Router(Namespace):
    """The router's namespace; `peer` is the kernel's behind it. `drop` and `mark` are per thousand."""

    def __init__(self, drop=0, mark=0):
        super().__init__()
        self.peer = Namespace()
        self._rules = RULES.format(drop=drop, mark=mark)

    def __enter__(self):
        super().__enter__()
        try:
            self.peer.__enter__()
        except BaseException:
            super().__exit__()
            raise
        try:
            self._connect()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        self.peer.__exit__(*exception)
        super().__exit__(*exception)

    def _connect(self):
        self.run("ip", "link", "add", "beyond", "type", "veth", "peer", "name", "eth0", "netns", self.peer.name)
        for namespace, interface, address in [(self, "beyond", "10.78.0.1"), (self.peer, "eth0", BEYOND)]:
            # Packets of wire size: each is dropped or marked by itself.
            namespace.run("ip", "link", "set", interface, "gso_max_segs", "1", "up")
            namespace.run("ip", "address", "add", f"{address}/24", "dev", interface)
        self.peer.run("ip", "route", "add", *TO_THE_STACK)
        self.sysctl(ip_forward=1)
        subprocess.run(self._inside(["nft", "-f", "-"]), input=self._rules, text=True, check=True)

    def control_at_peer(self, name):
        """Sets the kernel peer's congestion control by its route, which asks for no right over the
        machine: the knob of that name takes in a namespace only what the machine allows all users."""
        self.peer.run("ip", "route", "change", *TO_THE_STACK, "congctl", name)


assert KERNEL[4].startswith("10.77.0."), "the route to the stack is for another network"
