"""What tests of real processes do, read and wait for."""

from collections import Counter
from pathlib import Path
from typing import cast

from redis import Redis

from queues import ledger
from queues.models import Job, Worker
from tests.jobapp.jobs import record
from tests.jobapp.models import Gate, Run
from tests.processes import wait_for


def write_jobs(count: int, **usage: float) -> list[int]:
    """So many jobs that record their number, in one statement."""
    definition = record.using(**usage)  # type: ignore[arg-type]
    return ledger.enqueue([definition.request({"label": str(n)}) for n in range(count)])


def open_gate(name: str) -> None:
    Gate.objects.create(name=name)


def runs(label: str) -> int:
    """How often a test job with this label was started."""
    return Run.objects.filter(label=label).count()


def ended(label: str) -> int:
    return Run.objects.filter(label=label, ended_at__isnull=False).count()


def runs_not_once(notes: Path, count: int) -> dict[int, int]:
    """Of the jobs `note` labelled 0 to `count` - 1 those that did not run once, and how often they did."""
    seen = Counter(map(int, notes.read_text().split()))
    return {label: seen[label] for label in {*range(count), *seen} if seen[label] != (label in range(count))}


def states() -> dict[str, int]:
    return dict(Counter(Job.objects.values_list("state", flat=True)))


def messages(redis: Redis, queue: str = "order") -> list[str]:
    """What lies in the list of a queue."""
    return [cast(bytes, message).decode() for message in redis.lrange(f"rq:queue:{queue}", 0, -1)]


def wait_for_state(job_id: int, state: str, *, within: float = 30) -> Job:
    """The job, once it is in this state."""
    return wait_for(lambda: Job.objects.filter(pk=job_id, state=state).first(), within=within)


def wait_for_workers(count: int) -> list[Worker]:
    """The living worker processes, once there are so many."""
    rows = Worker.objects.filter(stopped_at=None).order_by("pk")
    return wait_for(lambda: list(rows) if rows.count() == count else None)
