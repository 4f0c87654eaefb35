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
    # What the values are counted in where there is nothing to compare with, and `over` is empty.
    unit: str = ""


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
    Target("two hosts in memory, 1460-byte segments, checksums computed, one thread",
           "smoltcp, same MTU, buffers and checksums",
           "memory-segments", "gbit_per_s", "tcpstack", "smoltcp", 3, 6),
    Target("two hosts in memory, super-segments", "memcpy of the same bytes, twice",
           "memory-super-segments", "gbit_per_s", "tcpstack", "memcpy_twice", 0.5, 0.8),
    Target("open, 1 byte each way, close, in memory, beside 1,000 idle connections",
           "smoltcp with as many sockets",
           "memory-churn", "connections_per_s", "tcpstack", "smoltcp", 20, 100),
    Target("the same, 1,000 connections at once", "smoltcp with 1,000 sockets",
           "memory-churn-together", "connections_per_s", "tcpstack", "smoltcp", 20, 100),
    Target("cost of a packet with 100,000 idle connections", "with 1 connection",
           "memory-idle-beside", "ns_per_packet", "beside_100000", "one", 1.3, 1.1, is_cost=True),
    Target("memory of an idle established connection in `Host`", "",
           "memory-idle-connection", "bytes_per_end", "tcpstack", "", 1024, 512, is_cost=True, unit="B"),
    Target("a million established connections, both hosts, allocated", "",
           "memory-million", "gib_allocated", "tcpstack", "", 2, 2, is_cost=True, unit="GiB"),
    Target("a million established connections, both hosts, resident", "",
           "memory-million", "gib_resident", "tcpstack", "", 2, 2, is_cost=True, unit="GiB"),
    Target("a million connections idle with keepalives on, of one core", "",
           "memory-million", "idle_cpu_percent", "tcpstack", "", 5, 5, is_cost=True, unit="%"),
    Target("1-byte ping-pong over TUN, median", "kernel to kernel, through two TUNs and the relay",
           "tun-ping-pong", "median_us", "tcpstack", "kernel", 1.5, 1.0, is_cost=True),
    Target("1-byte ping-pong over TUN, p99", "the same",
           "tun-ping-pong", "p99_us", "tcpstack", "kernel", 1.5, 1.0, is_cost=True),
    Target("connections per second accepted from a kernel client over TUN",
           "a kernel server over the same TUN pair",
           "tun-accept", "connections_per_s", "tcpstack", "kernel", 0.7, 1.2),
    Target("two connections to a kernel peer, two TUN queues", "one queue",
           "tun-queues", "gbit_per_s", "tcpstack_two_queues", "tcpstack", 1.0, 1.3),
    Target("Python: bulk `sendall` and `recv_into` of a `TcpStream` over `unix:`", "the C API on the same link",
           "python-bulk", "gbit_per_s", "python", "c", 0.8, 0.95),
    Target("Python: the same of a socket of `tcpstack.socket`", "the C API on the same link",
           "python-bulk", "gbit_per_s", "python_socket", "c", 0.8, 0.95),
    Target("events off: instructions per segment in bulk", "a build without events",
           "events-off", "instructions_per_segment", "off", "without", 1.0, 1.0, is_cost=True),
    Target("events off: instructions per 1-byte segment", "a build without events",
           "events-off", "instructions_per_ping_pong_segment", "off", "without", 1.0, 1.0, is_cost=True),
    Target("two pairs of hosts in memory on two threads", "one pair on one",
           "memory-threads", "gbit_per_s", "two_threads", "one_thread", 1.8, 2.0),
]


def ratios(values, target):
    """The ratio of each round, or None where it was not measured; the value itself beside nothing."""
    of = values.get(target.of, {}).get(target.quantity)
    if not target.over:
        return of
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


def ratio_number(value):
    """A digit more where a ratio is judged by it."""
    return f"{value:.3f}" if value < 2 else number(value)


def spread(values, number=number):
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
                bound = f"{'at most' if target.is_cost else 'at least'} {target.least:g}, aim {target.aim:g}"
                over = f" / {target.over}" if target.over else ""
                print(f"  {target.of}{over}, {target.quantity}: {spread(found, ratio_number)}  [{bound}: "
                      f"{verdict(median(found), target)}]")


def bound(value, target):
    return f"{'≤ ' if target.is_cost else ''}{value:g}{' ' + target.unit if target.unit else ' x'}"


def table(rows):
    """The table of the report; `rows` has the date and the values of each row."""
    text = "| what | beside | measured: median (least to most) | at least | aim | reached | on |\n"
    text += "|---|---|---:|---:|---:|---|---|\n"
    for target in TARGETS:
        part = rows.get(target.row)
        found = ratios(part["found"], target) if part else None
        digits = number if target.unit else ratio_number
        shown = f"**{digits(median(found))}** ({digits(min(found))} to {digits(max(found))})" if found else "not measured"
        reached = {"aim": "yes, the aim", "yes": "yes", "no": "**no**"}[verdict(median(found), target)] if found else ""
        cells = [target.what, target.beside, shown, bound(target.least, target), bound(target.aim, target),
                 reached, part["date"] if part else ""]
        text += f"| {' | '.join(cells)} |\n"
    return text


def quantity_name(quantity):
    """As one says it: `gbit_per_s` is Gbit/s."""
    for written, said in (("_per_s", "/s"), ("_us", ", µs"), ("gib", "GiB"), ("gbit", "Gbit"), ("_percent", ", %")):
        quantity = quantity.replace(written, said)
    return quantity.replace("_", " ")


def values_table(rows):
    """What each contender of each row has made of it."""
    text = "Medians (least to most) of the rounds.\n\n| row | contender | value | quantity |\n|---|---|---:|---|\n"
    for name, part in rows.items():
        for contender, quantities in part["found"].items():
            for quantity, values in quantities.items():
                shown = spread(values) if len(values) > 1 else number(values[0])
                text += f"| {name} | {contender} | {shown} | {quantity_name(quantity)} |\n"
    return text
