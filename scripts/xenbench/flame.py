# SPDX-License-Identifier: ISC
"""A profile by call path ("a;b;c COUNT" lines) as a table of functions and as a flame graph (SVG)."""

from xml.sax.saxutils import escape

WIDTH, ROW, MARGIN = 1200, 18, 10
LETTER = 6.6  # a character's width at this size of a monospaced font
NARROWEST = 0.3  # pixels; what is narrower would not be seen


class Node:
    def __init__(self):
        self.own, self.children = 0, {}

    def total(self):
        return self.own + sum(child.total() for child in self.children.values())

    def depth(self):
        return 1 + max((child.depth() for child in self.children.values()), default=0)


def tree(text):
    """The root's Node; raises ValueError for what is no profile."""
    root = Node()
    for line in text.splitlines():
        path, _, count = line.rpartition(" ")
        node = root
        for name in path.split(";"):
            node = node.children.setdefault(name, Node())
        node.own += int(count)
    if not root.children:
        raise ValueError("the profile is empty")
    return root


def functions(text):
    """[(name, own, with all it calls)], the largest own first. A recursive function is counted once
    a path."""
    own, total = {}, {}
    for line in text.splitlines():
        path, _, count = line.rpartition(" ")
        names = path.split(";")
        own[names[-1]] = own.get(names[-1], 0) + int(count)
        for name in set(names):
            total[name] = total.get(name, 0) + int(count)
    return sorted(((n, own.get(n, 0), t) for n, t in total.items()), key=lambda row: -row[1])


def table(text, operations, limit=40):
    """The functions' figures for one operation, as text."""
    lines = [f"{'own':>9} {'with calls':>11}  function"]
    for name, own, total in functions(text)[:limit]:
        lines.append(f"{own / operations:9.1f} {total / operations:11.1f}  {name}")
    return "\n".join(lines) + "\n"


def lines(found, operations, least=0.1):
    """[(function, "file:line", count)] as text: each function with its lines in the order of the source, the most
    expensive function first; figures are for one operation, and those below the least are left out."""
    by_function = {}
    for function, place, count in found:
        name, _, number = place.rpartition(":")
        at = name, int(number) if number.isdecimal() else 0
        places = by_function.setdefault(function, {})
        places[at] = places.get(at, 0) + count / operations
    text = []
    for function, places in sorted(by_function.items(), key=lambda item: -sum(item[1].values())):
        if sum(places.values()) < least:
            continue
        text.append(f"{sum(places.values()):9.1f}  {function}")
        text += [
            f"{count:9.1f}      {name}:{number}"
            for (name, number), count in sorted(places.items())
            if count >= least
        ]
    return "\n".join(text) + "\n"


def svg(text, title, operations):
    """The flame graph as text: callers below, what they call above them, widths by instructions."""
    root = tree(text)
    height = (root.depth() + 1) * ROW + 2 * MARGIN + ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="monospace" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{MARGIN}" y="{MARGIN + 12}" font-size="14">{escape(title)}</text>',
    ]
    scale = (WIDTH - 2 * MARGIN) / root.total()

    def draw(node, left, level):
        for name, child in sorted(node.children.items()):
            total = child.total()
            if total * scale >= NARROWEST:
                parts.append(_box(name, total / operations, left, total * scale, height, level))
                draw(child, left, level + 1)
            left += total * scale

    draw(root, MARGIN, 0)
    return "\n".join(parts + ["</svg>"]) + "\n"


def _box(name, figure, left, width, height, level):
    top = height - MARGIN - (level + 1) * ROW
    room = int((width - 4) / LETTER)
    label = name if len(name) <= room else name[: room - 1] + "…" if room > 3 else ""
    return (
        f'<g><title>{escape(name)}: {figure:,.1f}</title><rect x="{left:.2f}" y="{top}" '
        f'width="{width:.2f}" height="{ROW - 1}" fill="{_colour(name)}"/>'
        f'<text x="{left + 2:.2f}" y="{top + 13}">{escape(label)}</text></g>'
    )


def _colour(name):
    if name.startswith("["):
        return "#bbb"
    shade = sum(map(ord, name)) % 64
    return f"#f{shade % 4 + 8:x}{150 + shade:02x}50"
