"""Text tables for terminals, and the pages of `manage.py queues` that consist of them."""

from collections.abc import Iterable, Sequence

from django.utils import timezone

from ..ledger import pauses, workers
from ..ledger.counts import stats
from ..models import Worker
from . import schedules

QUEUE_HEAD = ("queue", "waiting", "delayed", "active", "completed", "failed", "paused")
SCHEDULE_HEAD = ("recurring job", "when", "last tick", "next tick", "")


def table(rows: Iterable[Sequence[object]], align: str, least: Sequence[int] = ()) -> str:
    """One line a row, with two spaces between the columns.

    `align` has one character for each column, `<` for left or `>` for right. A column is as wide as its longest cell;
    `least`, if it is given, has the smallest width of each column.
    """
    lines = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if least:
        widths = [max(pair) for pair in zip(widths, least, strict=True)]
    return "".join(f"{_line(cells, align, widths)}\n" for cells in lines)


def _line(cells: Sequence[str], align: str, widths: Sequence[int]) -> str:
    padded = (f"{cell:{side}{width}}" for cell, side, width in zip(cells, align, widths, strict=True))
    return "  ".join(padded).rstrip()


def status_page() -> str:
    """Queues with their counts, then the living workers."""
    paused = pauses.paused_queues()
    rows = [
        (name, n.waiting, n.delayed, n.active, n.completed, n.failed, "paused" if name in paused else "")
        for name, n in stats().queues.items()
    ]
    return f"{table([QUEUE_HEAD, *rows], '<>>>>><')}\n{_living_workers()}"


def _living_workers() -> str:
    living = Worker.objects.filter(pk__in=workers.living()).order_by("pk")
    lines = [f"{worker}: {', '.join(worker.queues)}; {_heartbeat(worker)}\n" for worker in living]
    return f"{len(lines)} living workers\n" + "".join(lines)


def _heartbeat(worker: Worker) -> str:
    seconds = max(0, round((timezone.now() - worker.beat_at).total_seconds()))
    return f"heartbeat {seconds} s ago{', draining' if worker.draining_at else ''}"


def schedules_page() -> str:
    """Every declared recurring job with its times."""
    rows = [
        (
            schedule.name,
            schedules.recurrence_text(schedules.recurring_job(schedule.name)),
            schedules.in_shop_zone(schedule.ticked_at) or "never",
            schedules.next_tick(schedule) or "-",
            "" if schedule.enabled else "off",
        )
        for schedule in schedules.declared_schedules()
    ]
    return table([SCHEDULE_HEAD, *rows], "<<<<<") if rows else "no recurring job is declared\n"
