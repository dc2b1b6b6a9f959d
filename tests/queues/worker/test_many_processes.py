"""Two dispatchers, three schedulers and two workers at once: no job is lost or runs twice or early, no tick doubles."""

from pathlib import Path

import pytest
from django.db.models import F
from redis import Redis

from queues import ledger
from queues.brokers.rq.keys import SCHEDULED
from queues.models import Attempt, Job, Outbox
from queues.states import Outcome
from tests.jobapp.jobs import note
from tests.jobapp.models import Run
from tests.processes import Processes, wait_for
from tests.queues.facts import runs, runs_not_once, wait_for_workers

pytestmark = pytest.mark.thorough

JOBS = 10_000
DELAYED = 1_000
TICK = "jobapp.every_second"
SETTINGS = {"JOBAPP_RECURS": "1", "LOG_LEVEL": "WARNING", "QUEUE_ORDER_CONCURRENCY": "20", "QUEUE_LEASE": "30"}


def write_notes(first: int, count: int, delays: int = 1) -> None:
    """Jobs that append their number; delayed by 1 s, 2 s, ... in turn if there are several delays."""
    for delay in range(delays):
        definition = note.using(run_after=1.0 + delay) if delays > 1 else note
        ledger.enqueue([definition.request({"label": str(n)}) for n in range(first + delay, first + count, delays)])


def test_ten_thousand_jobs_run_once_with_many_of_each_process(processes: Processes, redis: Redis, tmp_path: Path):
    # given two of each kind of process, or three, that know a job that recurs every second
    notes = tmp_path / "notes"
    started = [processes.manage("dispatch", **SETTINGS) for _ in range(2)]
    started += [processes.manage("rqscheduler", "--interval", "0.1", **SETTINGS) for _ in range(3)]
    started += [processes.manage("rqworker", "order", NOTES=str(notes), **SETTINGS) for _ in range(2)]
    wait_for_workers(2)
    wait_for(lambda: runs("tick") >= 1)

    # when jobs are written, a part of them delayed so long that the schedulers hold them
    write_notes(JOBS - DELAYED, DELAYED, delays=5)
    wait_for(lambda: redis.zcard(SCHEDULED))
    write_notes(0, JOBS - DELAYED)

    # then all of them are completed, each at its first attempt and none before its time
    mine = Job.objects.filter(name=note.name)
    wait_for(lambda: mine.filter(state="completed").count() == JOBS, within=120, every=0.2)
    assert runs_not_once(notes, JOBS) == {}
    assert mine.filter(attempt=1, crashes=0, started_at__gte=F("run_at")).count() == JOBS
    begun = Attempt.objects.exclude(outcome=Outcome.GIVEN_BACK)
    assert begun.filter(job__name=note.name).count() == JOBS
    assert len(set(Attempt.objects.values_list("worker", flat=True))) == 2

    # and each second ticked once
    assert [process.stop() for process in started] == [0] * 7
    ticks = Job.objects.filter(name=TICK)
    assert ticks.count() == len(set(ticks.values_list("key", flat=True))) >= 3
    assert Run.objects.filter(label="tick").count() == ticks.filter(state="completed").count()
    assert not Outbox.objects.exclude(job__name=TICK).exists()
