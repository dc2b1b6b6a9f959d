"""A process that was taken for dead goes on: what it ran is others' now, what it claims is its own again."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now

from queues import ledger
from queues.ledger import Claim, workers
from queues.models import Job, Worker
from queues.worker import fetcher
from queues.worker.process import Executor
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
    """Act once jobs are claimed and before their lane hears of it."""
    claim = ledger.claim

    def claim_and_act(*args: Any) -> list[Claim]:
        claims = claim(*args)
        if claims:
            act()
        return claims

    monkeypatch.setattr(fetcher.ledger, "claim", claim_and_act)


def close_row(executor: Executor) -> None:
    """As a sweeper does that buries the process."""
    Worker.objects.filter(pk=executor.worker_id).update(stopped_at=Now())


def test_job_whose_claim_is_answered_late_runs_once(executor: Executor, pulse: Pulse, monkeypatch: pytest.MonkeyPatch):
    """As when PostgreSQL's disk holds the reply up: the heartbeat sees the job in the ledger before its lane does."""
    when_claimed(monkeypatch, lambda: pulse.wait_for(beats=10))

    job_id = record.enqueue(label="late").id

    assert wait_for_state(job_id, "completed").attempts.count() == 1
    assert runs("late") == 1


def test_job_that_is_claimed_under_a_lost_lease_is_not_freed_while_it_runs(
    executor: Executor, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
):
    # given a job that was claimed under a row that a sweeper had closed just before
    former = wait_for(lambda: executor.worker_id)
    when_claimed(monkeypatch, lambda: close_row(executor))
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    wait_for(lambda: runs("a") == 1)

    # when the process has found out
    wait_for(lambda: executor.worker_id != former)
    pulse.wait_for(beats=2)

    # then the job is its own under the new lease, and no orphan
    assert Job.objects.get(pk=job_id).worker_id == executor.worker_id
    Worker.objects.filter(pk=former).update(stopped_at=Now() - timedelta(days=1))
    Job.objects.update(started_at=Now() - timedelta(days=1))
    assert workers.rescue_orphans() == []
    open_gate("g")
    wait_for_state(job_id, "completed")
    assert runs("a") == 1


def test_process_whose_new_row_cannot_be_written_at_once_still_adopts_what_it_runs(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
):
    # given a job that was claimed under a row that a sweeper had closed just before
    former = wait_for(lambda: executor.worker_id)
    when_claimed(monkeypatch, lambda: close_row(executor))
    bury, cuts = workers.bury, iter([OperationalError("cut")])

    def bury_at_the_second_try(worker_id: int) -> list[int]:
        for cut in cuts:
            raise cut
        return bury(worker_id)

    monkeypatch.setattr(workers, "bury", bury_at_the_second_try)

    # when the process writes a new one, which is cut off once
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    wait_for(lambda: executor.worker_id != former)

    # then the job is its own under the new lease
    wait_for(lambda: Job.objects.get(pk=job_id).worker_id == executor.worker_id)
    open_gate("g")
    wait_for_state(job_id, "completed")
    assert runs("a") == 1


def test_job_that_was_not_begun_when_the_lease_was_lost_runs_for_its_next_owner_alone(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
):
    # given ten threads with a job each, and jobs that were claimed ahead
    monkeypatch.setattr(fetcher, "STUCK", 1000)
    (the_lane,) = wait_for(lambda: executor.lanes)
    for _ in range(100):
        the_lane.slots.pace.learn(0.0001)
    blocked = [wait_for_gate.request({"label": "blocked", "gate": "g"}) for _ in range(the_lane.slots.count)]
    ids = ledger.enqueue([*blocked, *(record.request({"label": "ahead"}) for _ in range(5))])
    wait_for(lambda: runs("blocked") == len(blocked))
    wait_for(lambda: states() == {"active": len(ids)})

    # when the process is taken for dead and its jobs are freed
    former = wait_for(lambda: executor.worker_id)
    with transaction.atomic():
        close_row(executor)
        assert len(ledger.free_unheard_of(list(ledger.held_by(former).values()), former, "w")) == len(ids)
    wait_for(lambda: executor.worker_id != former)
    open_gate("g")

    # then what had not begun begins once
    wait_for(lambda: states() == {"completed": len(ids)}, within=90)
    assert runs("ahead") == 5
    assert Job.objects.filter(pk__in=ids, started_at__lt=F("finished_at")).count() == len(ids)


def test_slow_beat_is_followed_at_once_by_the_next(settings: Any, monkeypatch: pytest.MonkeyPatch):
    """PostgreSQL writes when a beat began: one that waited for the disk is old when it is there."""
    # given beats of which each takes two seconds, the last four
    settings.QUEUE_HEARTBEAT = 3.0
    clock, pauses = [0.0], []
    takes = iter([2.0, 2.0, 4.0])
    monkeypatch.setattr(workers.time, "monotonic", lambda: clock[0])

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout)
            return len(pauses) > 3

    def beat() -> None:
        clock[0] += next(takes)

    heartbeat = workers.Heartbeat(beat)
    heartbeat.stopping = Stopping()
    heartbeat.run()

    assert pauses == [3.0, 1.0, 1.0, 0.0]
