"""The results: JSON, and tables with ratios against the peers."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from .statistics import Figure, ratio

OURS = "bharatmart"
APART = "_cpu_"  # of one server or process alone, which says nothing of the whole


def as_json(figures: Iterable[Figure], machine: Mapping[str, str]) -> str:
    """`{"rows": [{"row", "system", "value", "unit", "runs"}], "machine": {...}}`"""
    rows = [figure.as_json() for figure in figures]
    return json.dumps({"rows": rows, "machine": dict(machine)}, indent=1, ensure_ascii=False) + "\n"


def read(path: Path) -> list[Figure]:
    """The figures of an earlier run."""
    if not path.exists():
        return []
    rows = json.loads(path.read_text())["rows"]
    return [Figure(row["row"], row["system"], row["unit"], list(row["runs"])) for row in rows]


def merged(old: Iterable[Figure], new: Iterable[Figure], order: list[str]) -> list[Figure]:
    """The new figures, and of the old ones those whose row was not measured anew."""
    new = list(new)
    measured = {figure.row for figure in new}
    kept = [figure for figure in old if figure.row not in measured]
    place = {row: number for number, row in enumerate(order)}
    return sorted([*kept, *new], key=lambda figure: (_place(figure.row, place), figure.row))


def _place(row: str, places: Mapping[str, int]) -> int:
    """A figure's row begins with the name of the row that measured it."""
    return max((place for name, place in places.items() if row.startswith(name)), default=len(places))


def table(figures: Iterable[Figure]) -> str:
    """A Markdown table: median, all runs, and how many times better ours is than this peer (below 1: worse)."""
    figures = list(figures)
    ours = {figure.row: figure for figure in figures if figure.system == OURS}
    lines = ["| row | system | median | unit | ours is so many times better | runs |", "|---|---|---:|---|---:|---|"]
    for figure in figures:
        is_compared = figure.row in ours and figure.system != OURS and APART not in figure.row
        times = ratio(ours[figure.row], figure) if is_compared else math.nan
        better = "" if math.isnan(times) else f"{times:.2f}"
        runs = ", ".join(f"{run:,g}" for run in map(_short, figure.runs))
        lines.append(f"| `{figure.row}` | {figure.system} | {figure.value:,g} | {figure.unit} | {better} | {runs} |")
    return "\n".join(lines)


def _short(value: float) -> float:
    return float(f"{value:.4g}")
