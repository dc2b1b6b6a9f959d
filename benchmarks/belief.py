"""What a run must show before its figures are believed."""

from collections import Counter
from collections.abc import Iterable, Sequence

from .marks import Mark


class NotBelieved(Exception):
    """This run says nothing."""


def complete(expected: Iterable[int], ran: Iterable[int]) -> None:
    """Every expected job ran, and exactly once. Raises NotBelieved with what is wrong."""
    wanted, runs = set(expected), Counter(ran)
    lost, strange = wanted - runs.keys(), runs.keys() - wanted
    doubled = [number for number, times in runs.items() if times > 1]
    told = [
        f"{len(found)} {what} (such as {min(found)})"
        for found, what in ((lost, "lost"), (doubled, "run twice"), (strange, "never asked for"))
        if found
    ]
    if told:
        raise NotBelieved(f"of {len(wanted)} jobs {', '.join(told)}")


def window(marks: Sequence[Mark], slots: int) -> tuple[float, list[Mark]]:
    """From when on every process worked, and the runs after that; boot is left out. Raises NotBelieved."""
    began = {slot: min((mark.at for mark in marks if mark.slot == slot), default=0.0) for slot in range(slots)}
    if not all(began.values()):
        raise NotBelieved(f"only {sum(map(bool, began.values()))} of {slots} processes ran jobs")
    start = max(began.values())
    inside = [mark for mark in marks if mark.at > start]
    if len(inside) < len(marks) / 4:
        raise NotBelieved(f"{len(marks) - len(inside)} of {len(marks)} jobs ran before every process had begun")
    return start, inside
