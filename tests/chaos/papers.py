"""Numbered papers: whether a number is missing, and whether each has its PDF."""

from collections.abc import Collection, Iterator

from .evidence import Evidence
from .look import Row


def gaps(evidence: Evidence, prefix: str, numbers: Collection[str]) -> Iterator[str]:
    """What is missing of a series, or beyond it."""
    query = f"SELECT year, last_number FROM orders_documentseries WHERE prefix = '{prefix}'"
    for series in evidence.ask(query):
        year = series["year"][2:]
        expected = {f"{prefix}/{year}/{n:06d}" for n in range(1, series["last_number"] + 1)}
        for number in sorted(expected ^ {one for one in numbers if f"/{year}/" in one}):
            yield f"{number} is {'missing' if number in expected else 'beyond the series'}"


def without_pdf(evidence: Evidence, paper: Row) -> str:
    """What to say of a paper without its file; nothing if it is there."""
    path = evidence.media / (paper["pdf"] or "none")
    good = path.is_file() and path.read_bytes().startswith(b"%PDF-")
    return "" if good else f"{paper['number']} has no PDF"
