"""A process that was declared dead continues: what it ran is others' now, what it claims is its own again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now

from queues import ledger
from queues.ledger import Admitted, workers
from queues.maintenance.rescuer import rescue_from_closed_workers
from queues.models import Job, Worker
from queues.worker import fetcher
from queues.worker.process import WorkerProcess
from tests.jobapp.jobs import record, wait_for_gate
from tests.processes import wait_for
from tests.queues.facts import open_gate, runs, states, wait_for_state


class Pulse:
    """Counts the beats of this process's lease."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.beats = 0
        self.renew = workers.renew
        monkeypatch.setattr(workers, "renew", self._count)

    def _count(self, worker_id: int) -> bool:
        self.beats += 1
        return self.renew(worker_id)

    def wait_for(self, beats: int) -> None:
        seen = self.beats
        wait_for(lambda: self.beats > seen + beats)


@pytest.fixture
def pulse(monkeypatch: pytest.MonkeyPatch) -> Pulse:
    return Pulse(monkeypatch)


def when_claimed(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Act once jobs are claimed and before their fetcher gets the answer."""
    claim = ledger.claim

    def claim_and_act(*args: Any) -> Admitted:
        admitted = claim(*args)
        if admitted.claims:
            act()
        return admitted

    monkeypatch.setattr(fetcher.ledger, "claim", claim_and_act)


def close_row(worker: WorkerProcess) -> None:
    """As a rescuer does that declares the process dead."""
    Worker.objects.filter(pk=worker.session.worker_id).update(stopped_at=Now())


def test_job_whose_claim_is_answered_late_runs_once(
    worker_here: WorkerProcess, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
):
    """As when PostgreSQL's disk delays the reply: the heartbeat sees the job in the ledger before its fetcher does."""
    when_claimed(monkeypatch, lambda: pulse.wait_for(beats=10))

    job_id = record.enqueue(label="late").id

    assert wait_for_state(job_id, "completed").attempts.count() == 1
    assert runs("late") == 1


def test_job_that_is_claimed_under_a_lost_lease_is_not_freed_while_it_runs(
    worker_here: WorkerProcess, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
):
    # given a job that was claimed under a row that a rescuer had closed just before
    former = wait_for(lambda: worker_here.session.worker_id)
    when_claimed(monkeypatch, lambda: close_row(worker_here))
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    wait_for(lambda: runs("a") == 1)

    # when the process has found out
    wait_for(lambda: worker_here.session.worker_id != former)
    pulse.wait_for(beats=2)

    # then the job belongs to the new row, and is not freed as one of a closed worker
    assert Job.objects.get(pk=job_id).worker_id == worker_here.session.worker_id
    Worker.objects.filter(pk=former).update(stopped_at=Now() - timedelta(days=1))
    Job.objects.update(started_at=Now() - timedelta(days=1))
    assert rescue_from_closed_workers() == []
    open_gate("g")
    wait_for_state(job_id, "completed")
    assert runs("a") == 1


def test_process_whose_new_row_cannot_be_written_at_once_still_keeps_what_it_runs(
    worker_here: WorkerProcess, monkeypatch: pytest.MonkeyPatch
):
    # given a job that was claimed under a row that a rescuer had closed just before
    former = wait_for(lambda: worker_here.session.worker_id)
    when_claimed(monkeypatch, lambda: close_row(worker_here))
    declare_dead, cuts = workers.declare_dead, iter([OperationalError("cut")])

    def declare_at_the_second_try(*args: Any) -> list[int] | None:
        for cut in cuts:
            raise cut
        return declare_dead(*args)

    monkeypatch.setattr(workers, "declare_dead", declare_at_the_second_try)

    # when the process writes a new one, which is cut off once
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    wait_for(lambda: worker_here.session.worker_id != former)

    # then the cut has happened, and the job is its own under the new lease
    assert next(cuts, None) is None
    wait_for(lambda: Job.objects.get(pk=job_id).worker_id == worker_here.session.worker_id)
    open_gate("g")
    wait_for_state(job_id, "completed")
    assert runs("a") == 1


def test_job_that_was_not_begun_when_the_lease_was_lost_runs_for_its_next_owner_alone(
    worker_here: WorkerProcess, monkeypatch: pytest.MonkeyPatch
):
    # given ten threads with a job each, and prefetched jobs
    monkeypatch.setattr(fetcher, "STUCK", 1000)
    (the_fetcher,) = worker_here.fetchers
    for _ in range(100):
        the_fetcher.capacity.durations.learn(0.0001)
    blocked = [
        wait_for_gate.request({"label": "blocked", "gate": "g"}) for _ in range(the_fetcher.capacity.concurrency)
    ]
    ids = ledger.enqueue([*blocked, *(record.request({"label": "prefetched"}) for _ in range(5))])
    wait_for(lambda: runs("blocked") == len(blocked))
    wait_for(lambda: states() == {"active": len(ids)})

    # when the process is declared dead and its jobs are freed
    former = wait_for(lambda: worker_here.session.worker_id)
    with transaction.atomic():
        close_row(worker_here)
        assert len(ledger.release_unacknowledged(list(ledger.held_by(former).values()), former, "w")) == len(ids)
    wait_for(lambda: worker_here.session.worker_id != former)
    open_gate("g")

    # then what had not begun begins once
    wait_for(lambda: states() == {"completed": len(ids)}, within=90)
    assert runs("prefetched") == 5
    assert Job.objects.filter(pk__in=ids, started_at__lt=F("finished_at")).count() == len(ids)
