"""The part of the report about more and more connections: a table, and plots in docs/ as SVG.

A plot is drawn here, line by line, so that nothing has to be installed for it.
"""

from math import log10
from pathlib import Path
from statistics import median

from targets import number, spread

ROW = "memory-growth"

TEXT = """\
Two hosts in memory with more and more established connections, every one of which has its turn: a byte each
way, and messages of one segment (1,448 bytes), each on another connection than the one before. Medians of
5 (least to most). To what is slower with more of them the caches contribute most: at 1,000 connections
their state no longer fits the second level, at 100,000 not the third.
"""

QUEUES = """
Two connections to a kernel peer over TUN, on one queue and on two, Gbit/s: {one} and {two}.
"""

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 50


def svg(title, label, points):
    """A plot of (size, least, median, most) over the logarithm of the size."""
    top = max(most for *_, most in points) * 1.1
    last = log10(points[-1][0])

    def x(size):
        return LEFT + (WIDTH - LEFT - RIGHT) * log10(size) / last

    def y(value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
             f'font-size="12">', f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             f'<text x="{WIDTH / 2}" y="20" text-anchor="middle" font-size="14">{title}</text>',
             f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{label}</text>',
             f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">connections</text>']
    for step in range(5):
        value = top * step / 4
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{number(value)}</text>')
    for size, least, middle, most in points:
        name = f"{size // 1_000_000}M" if size >= 1_000_000 else f"{size // 1000}k" if size >= 1000 else str(size)
        parts.append(f'<text x="{x(size):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{name}</text>'
                     f'<line x1="{x(size):.1f}" x2="{x(size):.1f}" y1="{y(least):.1f}" y2="{y(most):.1f}" '
                     f'stroke="#88a"/><circle cx="{x(size):.1f}" cy="{y(middle):.1f}" r="3.5" fill="#225"/>')
    line = " ".join(f"{x(size):.1f},{y(middle):.1f}" for size, _, middle, _ in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#225" stroke-width="1.5"/></svg>')
    return "\n".join(parts) + "\n"


def section(found, queues):
    """The table; the plots are written beside the document."""
    sizes = sorted((int(size), values) for size, values in found.items())
    plots = [("ns_per_packet", "growth-cost.svg", "What a packet costs", "ns per packet"),
             ("gbit_per_s", "growth-throughput.svg", "Messages of one segment, each on another connection", "Gbit/s")]
    text = TEXT
    for quantity, file, title, label in plots:
        points = [(size, min(v[quantity]), median(v[quantity]), max(v[quantity])) for size, v in sizes]
        Path("docs", file).write_text(svg(title, label, points))
        text += f"\n![{title}]({file})\n"
    text += "\n| connections | ns per packet | Gbit/s |\n|---:|---:|---:|\n"
    for size, values in sizes:
        text += f"| {size:,} | {spread(values['ns_per_packet'])} | {spread(values['gbit_per_s'])} |\n"
    if queues:
        one, two = (spread(queues["found"][name]["gbit_per_s"]) for name in ("tcpstack", "tcpstack_two_queues"))
        text += QUEUES.format(one=one, two=two)
    return text
