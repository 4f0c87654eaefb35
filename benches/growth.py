"""The part of the report about more and more connections: a table, and plots in docs/ as SVG.

A plot is drawn here, line by line, so that nothing has to be installed for it.
"""

from math import floor, log10
from pathlib import Path
from statistics import median

from targets import spread

ROW = "memory-growth"

TEXT = """\
Two hosts in memory with more and more established connections, every one of which has its turn: a byte each
way, and messages of one segment (1,448 bytes), each on another connection than the one before, so that
with many of them every packet finds its connection's state out of the caches. Medians of 5 (least to most).
"""

QUEUES = """
Two connections to a kernel peer over TUN, on one queue and on two:

![Two connections over TUN](growth-queues.svg)
"""

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 40, 50


def ticks(most):
    """Round numbers from 0 to above `most`."""
    unit = 10 ** floor(log10(most))
    step = next(unit * part for part in (0.2, 0.5, 1, 2) if unit * part * 6 >= most)
    return [step * index for index in range(int(most / step) + 2)]


def svg(title, across, up, points):
    """A plot of (label, values), evenly spaced: the medians, and from least to most."""
    scale = ticks(max(max(values) for _, values in points))

    def x(index):
        return LEFT + 30 + (WIDTH - LEFT - RIGHT - 60) * index / (len(points) - 1)

    def y(value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / scale[-1]

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
             f'font-size="12">', f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             f'<text x="{WIDTH / 2}" y="20" text-anchor="middle" font-size="14">{title}</text>',
             f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{up}</text>',
             f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">{across}</text>']
    for value in scale:
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
    for index, (label, values) in enumerate(points):
        at = f"{x(index):.1f}"
        parts.append(f'<text x="{at}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{label}</text>'
                     f'<line x1="{at}" x2="{at}" y1="{y(min(values)):.1f}" y2="{y(max(values)):.1f}" stroke="#88a"/>'
                     f'<circle cx="{at}" cy="{y(median(values)):.1f}" r="3.5" fill="#225"/>')
    line = " ".join(f"{x(index):.1f},{y(median(values)):.1f}" for index, (_, values) in enumerate(points))
    parts.append(f'<polyline points="{line}" fill="none" stroke="#225" stroke-width="1.5"/></svg>')
    return "\n".join(parts) + "\n"


def short(size):
    """As an axis says it."""
    for unit, letter in ((1_000_000, "M"), (1000, "k")):
        if size >= unit:
            return f"{size // unit}{letter}"
    return str(size)


def section(found, queues):
    """The text and the table; the plots are written beside the document."""
    sizes = sorted((int(size), values) for size, values in found.items())
    plots = [("ns_per_packet", "growth-cost.svg", "What a packet costs", "ns per packet"),
             ("gbit_per_s", "growth-throughput.svg", "Messages of one segment, each on another connection", "Gbit/s")]
    text = TEXT
    for quantity, file, title, unit in plots:
        points = [(short(size), values[quantity]) for size, values in sizes]
        Path("docs", file).write_text(svg(title, "connections", unit, points))
        text += f"\n![{title}]({file})\n"
    text += "\n| connections | ns per packet | Gbit/s |\n|---:|---:|---:|\n"
    for size, values in sizes:
        text += f"| {size:,} | {spread(values['ns_per_packet'])} | {spread(values['gbit_per_s'])} |\n"
    if queues:
        points = [(label, queues["found"][name]["gbit_per_s"])
                  for label, name in (("1", "tcpstack"), ("2", "tcpstack_two_queues"))]
        Path("docs", "growth-queues.svg").write_text(svg("Two connections over TUN", "queues", "Gbit/s", points))
        text += QUEUES
    return text
