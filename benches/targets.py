"""What tcpstack is to reach, beside what, and how far it is: one table for the terminal and the report.

A row of measurements has values of several contenders, one of each in every round. What counts is the
ratio within each round; of these the median, the least and the most are shown.
"""

from dataclasses import dataclass
from statistics import median


@dataclass
class Target:
    """One line of the table: contender `of` over contender `over`, both in `row`."""
    what: str
    beside: str
    row: str
    quantity: str
    of: str
    over: str
    least: float
    aim: float
    # Whether a smaller ratio is the better one: times and costs.
    is_cost: bool = False


TARGETS = [
    Target("one connection over TUN, MTU 1500, to a kernel peer",
           "kernel to kernel, through two TUNs and a relay that only copies",
           "tun-to-kernel", "gbit_per_s", "tcpstack", "kernel", 0.7, 0.95),
    Target("one connection over TUN from a kernel peer", "the same",
           "tun-from-kernel", "gbit_per_s", "tcpstack", "kernel", 0.7, 0.95),
    Target("to a kernel peer", "smoltcp over TUN",
           "tun-to-kernel", "gbit_per_s", "tcpstack", "smoltcp", 5, 10),
    Target("from a kernel peer", "smoltcp over TUN",
           "tun-from-kernel", "gbit_per_s", "tcpstack", "smoltcp", 3, 4),
    Target("to a kernel peer, `offload=off`", "smoltcp over TUN",
           "tun-to-kernel", "gbit_per_s", "tcpstack_plain", "smoltcp", 1.5, 2.5),
    Target("from a kernel peer, `offload=off`", "smoltcp over TUN",
           "tun-from-kernel", "gbit_per_s", "tcpstack_plain", "smoltcp", 1.5, 2.5),
    Target("1-byte ping-pong over TUN, median", "kernel to kernel, through two TUNs and the relay",
           "tun-ping-pong", "median_us", "tcpstack", "kernel", 1.5, 1.0, is_cost=True),
    Target("1-byte ping-pong over TUN, p99", "the same",
           "tun-ping-pong", "p99_us", "tcpstack", "kernel", 1.5, 1.0, is_cost=True),
    Target("connections per second accepted from a kernel client over TUN",
           "a kernel server over the same TUN pair",
           "tun-accept", "connections_per_s", "tcpstack", "kernel", 0.7, 1.2),
    Target("two connections to a kernel peer, two TUN queues", "one queue",
           "tun-queues", "gbit_per_s", "tcpstack_two_queues", "tcpstack", 1.0, 1.3),
]


def ratios(values, target):
    """The ratio of each round, or None where it was not measured."""
    of = values.get(target.of, {}).get(target.quantity)
    over = values.get(target.over, {}).get(target.quantity)
    return [a / b for a, b in zip(of, over)] if of and over else None


def verdict(ratio, target):
    """How the median ratio stands to what is to be reached."""
    def reached(bound):
        return ratio <= bound if target.is_cost else ratio >= bound
    return "aim" if reached(target.aim) else "yes" if reached(target.least) else "no"


def number(value):
    """Three digits that mean something."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(values):
    return f"{number(median(values))} ({number(min(values))} to {number(max(values))})"


def print_rows(rows):
    """The rows of this run for the terminal: each contender, then the ratios."""
    for row, values in rows.items():
        print(f"\n{row}")
        for contender, quantities in values.items():
            for quantity, found in quantities.items():
                print(f"    {contender:22} {spread(found):>28}  {quantity}")
        for target in TARGETS:
            found = ratios(values, target) if target.row == row else None
            if found:
                bound = f"at least {target.least:g}, aim {target.aim:g}"
                if target.is_cost:
                    bound = f"at most {target.least:g}, aim {target.aim:g}"
                print(f"  {target.of} / {target.over}, {target.quantity}: {spread(found)}  [{bound}: "
                      f"{verdict(median(found), target)}]")
