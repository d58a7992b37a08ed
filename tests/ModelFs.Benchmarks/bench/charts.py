"""SVG charts, drawn by hand: bars for what is compared, lines for how cost grows."""
import math
from xml.sax.saxutils import escape

COLOURS = ["#1b6ca8", "#d1495b", "#66a182", "#edae49", "#8d6a9f", "#7f7f7f", "#3d5a5b"]
FONT = 'font-family="sans-serif" font-size="12"'


def bars(groups):
    """One block of horizontal bars per (title, unit, {way: value}); each block has a scale of its own."""
    rows, y = [], 10
    for title, unit, values in groups:
        y += 22
        rows.append(f'<text x="10" y="{y}" {FONT} font-weight="bold">{escape(title)} ({escape(unit)})</text>')
        most = max(values.values()) or 1
        for number, (way, value) in enumerate(values.items()):
            y += 18
            length = max(1, 420 * value / most)
            rows.append(f'<text x="200" y="{y}" {FONT} text-anchor="end">{escape(way)}</text>'
                        f'<rect x="208" y="{y - 11}" width="{length:.1f}" height="13" fill="{COLOURS[number % len(COLOURS)]}"/>'
                        f'<text x="{214 + length:.1f}" y="{y}" {FONT}>{value:,.3g}</text>')
        y += 8
    return _svg(760, y + 20, rows)


def lines(title, x_title, y_title, series):
    """A line per series {name: [(x, y)…]}, both axes logarithmic."""
    points = [point for line in series.values() for point in line]
    x_low, x_high = _decades([x for x, _ in points])
    y_low, y_high = _decades([y for _, y in points])
    left, top, width, height = 80, 40, 520, 340

    def place(x, y):
        return (left + width * (math.log10(x) - x_low) / (x_high - x_low), top + height * (1 - (math.log10(max(y, 1e-9)) - y_low) / (y_high - y_low)))
    rows = [f'<text x="{left}" y="22" {FONT} font-weight="bold">{escape(title)}</text>',
            f'<text x="{left + width / 2}" y="{top + height + 40}" {FONT} text-anchor="middle">{escape(x_title)}</text>',
            f'<text x="18" y="{top + height / 2}" {FONT} text-anchor="middle" transform="rotate(-90 18 {top + height / 2})">{escape(y_title)}</text>']
    for exponent in range(x_low, x_high + 1):
        x, _ = place(10 ** exponent, 10 ** y_low)
        rows.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{top + height}" stroke="#ddd"/><text x="{x:.1f}" y="{top + height + 18}" {FONT} text-anchor="middle">{_power(exponent)}</text>')
    for exponent in range(y_low, y_high + 1):
        _, y = place(10 ** x_low, 10 ** exponent)
        rows.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + width}" y2="{y:.1f}" stroke="#ddd"/><text x="{left - 8}" y="{y + 4:.1f}" {FONT} text-anchor="end">{_power(exponent)}</text>')
    for number, (name, line) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in sorted(line)))
        rows.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        rows += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in (place(*point) for point in line)]
        rows.append(f'<rect x="{left + width + 16}" y="{top + 20 * number}" width="12" height="12" fill="{colour}"/><text x="{left + width + 34}" y="{top + 11 + 20 * number}" {FONT}>{escape(name)}</text>')
    return _svg(820, top + height + 60, rows)


def _decades(values):
    low, high = math.floor(math.log10(max(min(values), 1e-9))), math.ceil(math.log10(max(*values, 1e-9)))
    return low, max(high, low + 1)


def _power(exponent):
    return f"{10 ** exponent:,}" if 0 <= exponent <= 5 else f"{10.0 ** exponent:g}"


def _svg(width, height, rows):
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"><rect width="100%" height="100%" fill="white"/>\n' + "\n".join(rows) + "\n</svg>\n"
