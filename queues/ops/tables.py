"""The table that `manage.py queues status` prints: what each queue holds, and who works."""

from django.db.models import QuerySet
from django.utils import timezone

from ..ledger import pauses, workers
from ..ledger.counts import Counts, stats
from ..models import Worker

HEAD = ("queue", "waiting", "delayed", "active", "completed", "failed", "paused")


def status_page() -> str:
    """Queues with their counts, then the living workers."""
    paused = pauses.paused_queues()
    rows = [HEAD, *(_queue_row(name, counts, name in paused) for name, counts in stats().queues.items())]
    living = Worker.objects.filter(pk__in=workers.living()).order_by("pk")
    return f"{_table(rows)}\n{_worker_lines(living)}"


def _queue_row(name: str, counts: Counts, is_paused: bool) -> tuple[str, ...]:
    numbers = (counts.waiting, counts.delayed, counts.active, counts.completed, counts.failed)
    return (name, *map(str, numbers), "paused" if is_paused else "")


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = []
    for row in rows:
        numbers = [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *numbers, row[-1]]).rstrip())
    return "\n".join(lines) + "\n"


def _worker_lines(workers: QuerySet[Worker]) -> str:
    lines = [f"{worker}: {', '.join(worker.queues)}; {_life(worker)}\n" for worker in workers]
    return f"{len(lines)} living workers\n" + "".join(lines)


def _life(worker: Worker) -> str:
    return f"heartbeat {_seconds_since(worker)} s ago{', draining' if worker.draining_at else ''}"


def _seconds_since(worker: Worker) -> int:
    return max(0, round((timezone.now() - worker.beat_at).total_seconds()))
