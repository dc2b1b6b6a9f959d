"""The table that `manage.py queues status` prints: what each queue holds, and who works."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from ..ledger import counts as selectors
from ..ledger import pauses
from ..ledger import workers as lease
from ..models import Worker

HEAD = ("queue", "waiting", "delayed", "active", "completed", "failed", "paused")


def status_page() -> str:
    """Queues with their counts, then the living workers."""
    counts: Any = selectors.stats()["queues"]
    paused = pauses.paused_queues()
    rows: list[tuple[str, ...]] = [HEAD]
    for name, row in counts.items():
        rows.append((name, *(str(row[column]) for column in HEAD[1:-1]), "paused" if name in paused else ""))
    workers = Worker.objects.filter(pk__in=lease.living()).order_by("pk")
    return f"{_table(rows)}\n{_worker_lines(workers)}"


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
