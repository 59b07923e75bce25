"""Charts as SVG without script: their colours are the page's, so they follow dark mode and print."""

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT = 720, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 14, 36

GRID = Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>')
TICK = Markup('<text class="tick {}" x="{:.1f}" y="{:.1f}">{}</text>')
AREA = Markup('<path class="area" d="{} L{:.1f} {:.1f} L{:.1f} {:.1f} Z"/>')
LINE = Markup('<path class="line" d="{}"/>')
BAR = Markup('<rect class="bar" x="{}" y="{:.1f}" width="{:.1f}" height="{}" rx="4"/>')
DOT = Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3.5"><title>{}</title></circle>')

COLUMN = Markup('<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>')


def line(title: str, summary: str, labels: Sequence[str], values: Sequence[int]) -> Markup:
    """A line with its area.  ``summary`` says in words what it shows; put the same numbers in a table beside it."""
    ceiling = _ceiling(max(values, default=0))
    step = (WIDTH - LEFT - RIGHT) / max(1, len(values) - 1)
    points = [(LEFT + step * at, _y(value, ceiling)) for at, value in enumerate(values)]
    path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    floor = _y(0, ceiling)
    parts = [
        Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="chart-title chart-desc">').format(
            WIDTH, HEIGHT
        ),
        Markup('<title id="chart-title">{}</title><desc id="chart-desc">{}</desc>').format(title, summary),
    ]
    for part in (0, ceiling // 2, ceiling):
        y = _y(part, ceiling)
        parts.append(GRID.format(LEFT, WIDTH - RIGHT, y, y))
        parts.append(TICK.format("end", LEFT - 8, y + 4, f"{part:,}"))
    parts.append(AREA.format(path, points[-1][0], floor, LEFT, floor))
    parts.append(LINE.format(path))
    for at, (x, y) in enumerate(points):
        parts.append(DOT.format(x, y, f"{labels[at]}: {values[at]:,}"))
        if at % 3 == (len(points) - 1) % 3:
            parts.append(TICK.format("end" if at == len(points) - 1 else "middle", x, HEIGHT - 8, labels[at]))
    return Markup("").join([*parts, Markup("</svg>")])


def columns(title: str, summary: str, labels: Sequence[str], values: Sequence[int]) -> Markup:
    """A low row of bars, one a value.  Put those that are not 0 in a table beside it."""
    height, floor = 96, 72
    step = WIDTH / max(1, len(values))
    highest = max(values, default=0) or 1
    parts = [
        Markup('<svg class="chart columns" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            WIDTH, height, summary
        ),
        Markup("<title>{}</title>").format(title),
        GRID.format(0, WIDTH, floor, floor),
    ]
    for at, value in enumerate(values):
        if value:
            tall = max(6, (floor - 4) * value / highest)
            parts.append(COLUMN.format(at * step, floor - tall, step * 0.72, tall, f"{labels[at]}: {value:,}"))
    parts.append(TICK.format("start", 0, height - 4, labels[0] if labels else ""))
    parts.append(TICK.format("end", WIDTH, height - 4, labels[-1] if labels else ""))
    return Markup("").join([*parts, Markup("</svg>")])


def bars(title: str, values: Sequence[tuple[str, int]]) -> Markup:
    """A bar for each name; its numbers belong into a table beside it, so screen readers hear the title only."""
    row, left, right = 34, 190, 70
    most = max((value for _name, value in values), default=0) or 1
    height = row * max(1, len(values))
    parts = [
        Markup('<svg class="chart bars" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, height, title)
    ]
    for at, (name, value) in enumerate(values):
        middle = row * at + row / 2
        width = (WIDTH - left - right) * value / most
        shown = name if len(name) <= 11 else name[:10] + "…"
        parts.append(TICK.format("end", left - 12, middle + 5, shown))
        parts.append(BAR.format(left, row * at + 6, max(width, 2), row - 12))
        parts.append(TICK.format("", left + max(width, 2) + 8, middle + 5, f"{value:,}"))
    return Markup("").join([*parts, Markup("</svg>")])


PIECE = Markup('<rect class="piece p{}" x="{:.1f}" y="0" width="{:.1f}" height="{}"><title>{}</title></rect>')


def stacked(title: str, values: Sequence[tuple[str, int]]) -> Markup:
    """One bar whose pieces are all there is: the first is the good one.  Its names and numbers belong into a table."""
    whole = sum(value for _name, value in values) or 1
    at, height = 0.0, 36
    parts = [
        Markup('<svg class="chart stacked" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img">').format(
            WIDTH, height
        ),
        Markup("<title>{}</title>").format(title),
    ]
    for place, (name, value) in enumerate(values):
        width = WIDTH * value / whole
        if value:
            parts.append(PIECE.format(place, at, max(width - 1.5, 1.5), height, f"{name}: {value:,}"))
        at += width
    return Markup("").join([*parts, Markup("</svg>")])


def _y(value: int, ceiling: int) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / ceiling)


def _ceiling(highest: int) -> int:
    """A round, even number at or above the highest value."""
    size = 1
    while True:
        for round_number in (4, 10, 20, 40, 60, 80):
            if round_number * size >= highest:
                return round_number * size
        size *= 10
