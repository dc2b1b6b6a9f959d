"""Charts as SVG, with nothing but text: bars in groups, and one bar in parts."""

from collections.abc import Iterable, Sequence
from html import escape

from .statistics import Figure

OURS, PEER, INK, PALE = "#0b6e4f", "#9db4c0", "#222222", "#666666"
PARTS = (
    "#0b6e4f",
    "#336791",
    "#c6302b",
    "#e0a458",
    "#7d5ba6",
    "#4f9d9d",
    "#9db4c0",
    "#b07d62",
    "#f3c5c5",
    "#222222",
    "#a8c256",
)
WIDTH, LEFT, BAR, GAP, HEAD = 760, 190, 18, 5, 34
RIGHT = 110  # for the figure at the end of a bar


def bars(title: str, figures: Iterable[Figure], first: str) -> str:
    """A group of horizontal bars for each row of figures, longest at full width; `first` is the system set off."""
    groups: dict[str, list[Figure]] = {}
    for figure in figures:
        groups.setdefault(figure.row, []).append(figure)
    y, body = HEAD, []
    for row, members in groups.items():
        y += 22
        body.append(_text(10, y - 6, f"{row}, {members[0].unit}", INK, bold=True))
        most = max(figure.value for figure in members) or 1
        for figure in members:
            body.append(
                _bar(figure, y, (WIDTH - LEFT - RIGHT) * figure.value / most, OURS if figure.system == first else PEER)
            )
            y += BAR + GAP
    return _svg(title, y + 10, body)


def _bar(figure: Figure, y: float, width: float, colour: str) -> str:
    name = _text(LEFT - 8, y + BAR - 5, figure.system, INK, anchor="end")
    value = _text(LEFT + width + 6, y + BAR - 5, f"{figure.value:,g}", INK)
    return f'{name}<rect x="{LEFT}" y="{y}" width="{max(1, width):.1f}" height="{BAR}" fill="{colour}"/>{value}'


def parts(title: str, rows: Sequence[tuple[str, Sequence[tuple[str, float]]]], unit: str) -> str:
    """A bar a row, each of named parts one after the other, all to one scale; a legend below."""
    most = max(sum(value for _, value in members) for _, members in rows)
    names = list(dict.fromkeys(name for _, members in rows for name, _ in members))
    colours = {name: PARTS[number % len(PARTS)] for number, name in enumerate(names)}
    y, body = HEAD + 8, []
    for row, members in rows:
        x = float(LEFT)
        body.append(_text(LEFT - 8, y + 19, row, INK, anchor="end"))
        for name, value in members:
            width = (WIDTH - LEFT - RIGHT) * value / most
            body.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="28" fill="{colours[name]}"/>')
            x += width
        body.append(_text(x + 6, y + 19, f"{sum(value for _, value in members):,.4g} {unit}", INK))
        y += 38
    for number, name in enumerate(names):
        x, line = 10 + number % 4 * 185, y + 14 + number // 4 * 20
        body.append(f'<rect x="{x}" y="{line - 10}" width="12" height="12" fill="{colours[name]}"/>')
        body.append(_text(x + 18, line, name, PALE))
    return _svg(title, y + 14 + (len(names) + 3) // 4 * 20, body)


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'


def _svg(title: str, height: float, body: Iterable[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" font-family="sans-serif" font-size="13">'
    )
    ground = '<rect width="100%" height="100%" fill="white"/>'
    name = f'<text x="10" y="22" font-size="16" font-weight="bold" fill="{INK}">{escape(title)}</text>'
    return "\n".join([head, ground, name, *body, "</svg>"]) + "\n"
