"""What the run shows: a line a second while it goes on, and two tables at its end."""

import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from .evidence import SHOWN, Evidence, Finding, states_of
from .faults import Injected
from .plan import KILL_SCHEDULER, KILL_WEB, KILL_WORKER, SECONDS, STOP_WORKER

EVERY = 1.0  # seconds between two lines
REFUND_EVERY = 30  # orders, at least
KILLS = (KILL_WORKER, KILL_SCHEDULER, KILL_WEB)


class Progress:
    """News stay; below them stands one line that is drawn anew on a terminal, and told every few seconds elsewhere."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self.out = out
        self.began = time.monotonic()
        self.live = out.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.next_at = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def is_due(self) -> bool:
        return time.monotonic() >= self.next_at

    def show(self, line: str) -> None:
        """The present state."""
        self.next_at = time.monotonic() + EVERY
        self._write(line, "\r" if self.live else "\n")

    def tell(self, news: Sequence[str]) -> None:
        """Lines to keep."""
        for line in news:
            self._write(line, "\n")

    def end(self) -> None:
        """Let the last line stand."""
        if self.live:
            self.out.write("\n")

    def _write(self, line: str, end: str) -> None:
        line = f"  +{self.seconds:5.1f} s  {line}"
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            line = f"\x1b[2K{line[:width]}"
        self.out.write(f"{line}{end}")
        self.out.flush()


def table_of_faults(injected: Sequence[Injected]) -> list[str]:
    """Kind by kind: how many, how many of them hit a worker with jobs in hand, and how many sends were hit."""
    lines = [f"  {'fault':<34}{'injected':>9}{'hit busy':>10}{'jobs hit':>10}{'sends hit':>11}"]
    for kind in SECONDS:
        of_kind = [fault for fault in injected if fault.kind == kind]
        busy = str(sum(fault.busy > 0 for fault in of_kind)) if kind in (KILL_WORKER, STOP_WORKER) else "-"
        jobs, sends = sum(fault.busy for fault in of_kind), sum(fault.sends for fault in of_kind)
        lines.append(f"  {kind:<34}{len(of_kind):>9}{busy:>10}{jobs or '-':>10}{sends or '-':>11}")
    kills = [fault for fault in injected if fault.kind in KILLS]
    hits = sum(fault.busy > 0 for fault in kills)
    return [*lines, f"  {'all':<34}{len(injected):>9}; {hits} of {len(kills)} kills hit a worker with jobs in hand"]


def enough_fire(injected: Sequence[Injected], spoiled: Mapping[str, int]) -> Finding:
    """Whether the run proves something: each kind came, and half of the kills hit a worker with jobs in hand.

    `spoiled`: how many answers were spoiled by the kinds of faults that do so.
    """
    missing = [f"no {kind}" for kind in SECONDS if kind not in {fault.kind for fault in injected}]
    missing += [f"no answer was spoiled by {kind}" for kind, answers in spoiled.items() if not answers]
    kills = [fault for fault in injected if fault.kind in KILLS]
    hits = sum(fault.busy > 0 for fault in kills)
    if 2 * hits < len(kills):
        missing.append(f"only {hits} of {len(kills)} kills hit a worker with jobs in hand")
    answers = ", ".join(f"{kind}: {answers} times" for kind, answers in spoiled.items())
    told = f"{len(injected)} faults, {hits} of {len(kills)} kills hit a busy worker; {answers}"
    return Finding("(each kind of fault came, half of the kills hit)", told, tuple(missing))


def table_of_promises(findings: Sequence[Finding]) -> list[str]:
    lines = []
    for found in findings:
        lines.append(f"  {'kept  ' if found.kept else 'BROKEN'}  {found.name:<52} {found.counted}")
        lines += [f"          {case}" for case in found.broken[:SHOWN]]
        if len(found.broken) > SHOWN:
            lines.append(f"          ... {len(found.broken)} in all")
    return lines


def enough_refunds(book: Sequence[dict[str, Any]], orders: int) -> Finding:
    """Whether the run proves something about refunds."""
    refunds = sum(entry["effect"] == "refund" for entry in book)
    least = orders // REFUND_EVERY
    told = f"{refunds} refunds of {orders} orders"
    return Finding("(money was given back)", told, () if refunds >= least else (f"expected {least} at least",))


def enough_paid(evidence: Evidence) -> Finding:
    """Whether the shop went on selling: half of the orders with a good card were paid for before their window closed.

    Nearly all are on an idle machine.
    """
    states = states_of(evidence.ask)
    good = [one for one in evidence.accepted if one.scenario.can_be_paid and not one.scenario.then]
    paid, least = sum(states.get(one.order_id) == "processing" for one in good), (len(good) + 1) // 2
    told = f"{paid} of {len(good)} orders with a good card"
    return Finding("(the shop went on selling)", told, () if paid >= least else (f"expected {least} at least",))
