"""A flame graph as SVG: call stacks side by side, each frame as wide as what it and its callees cost."""

from html import escape

WIDTH, ROW, TITLE = 1200, 17, 44
# Narrower frames are left out; narrower texts too.
LEAST, LEAST_TEXT = 0.4, 40


def tree(stacks):
    """Frame -> [cost with callees, callees]."""
    root = [0, {}]
    for stack, cost in stacks.items():
        node = root
        node[0] += cost
        for name in stack:
            node = node[1].setdefault(name, [0, {}])
            node[0] += cost
    return root


def colour(name):
    """Warm for the stack itself, cool for what it stands on."""
    shade = sum(name.encode()) % 50
    if name.startswith("tcpstack::"):
        return f"rgb({225 + shade // 2},{120 + shade},{60 + shade // 2})"
    return f"rgb({150 + shade},{180 + shade},{200 + shade})"


def svg(stacks, title, unit):
    """The graph; what a frame is, and its share, shows when the pointer rests on it."""
    root = tree(stacks)
    frames = []

    def draw(node, left, depth):
        for name, child in sorted(node[1].items()):
            width = WIDTH * child[0] / root[0]
            if width >= LEAST:
                frames.append((name, left, depth, width, child[0] / root[0]))
                draw(child, left, depth + 1)
            left += width

    draw(root, 0, 0)
    height = TITLE + ROW * (1 + max(depth for _, _, depth, _, _ in frames))
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" '
             f'font-size="11">', f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
             f'<text x="8" y="18" font-size="14">{escape(title)}</text>',
             f'<text x="8" y="34" fill="#555">{root[0]:,} {escape(unit)}; callers above, callees below</text>']
    for name, left, depth, width, share in frames:
        top = TITLE + depth * ROW
        parts.append(f'<g><title>{escape(name)}: {share:.2%}</title><rect x="{left:.1f}" y="{top}" '
                     f'width="{width:.1f}" height="{ROW - 1}" fill="{colour(name)}"/>')
        if width >= LEAST_TEXT:
            last = name.removeprefix("tcpstack::")
            shown = last[-int(width / 6.8):] if len(last) * 6.8 > width else last
            parts.append(f'<text x="{left + 3:.1f}" y="{top + 12}">{escape(shown)}</text>')
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"
