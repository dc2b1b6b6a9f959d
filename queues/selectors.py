"""Reading the ledger."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from . import settings as queue_settings
from .models import Job
from .states import JobState

COUNTED = ("waiting", "active", "completed", "failed", "delayed")


def stats() -> dict[str, object]:
    """Jobs by state, in total and per queue; `delayed` (waiting and not yet due) is counted apart from `waiting`."""
    now = timezone.now()
    rows: Iterable[Any] = Job.objects.values("queue").annotate(
        due=Count("pk", Q(state=JobState.WAITING, run_at__lte=now)),
        delayed=Count("pk", Q(state=JobState.WAITING, run_at__gt=now)),
        active=Count("pk", Q(state=JobState.ACTIVE)),
        completed=Count("pk", Q(state=JobState.COMPLETED)),
        failed=Count("pk", Q(state=JobState.FAILED)),
    )
    per_queue = {name: dict.fromkeys(COUNTED, 0) for name in queue_settings.declared()}
    for row in rows:
        counts = {**row, "waiting": row["due"]}
        per_queue[row["queue"]] = {name: counts[name] for name in COUNTED}
    total = {name: sum(queue[name] for queue in per_queue.values()) for name in COUNTED}
    return {**total, "queues": per_queue}
