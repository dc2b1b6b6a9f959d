"""20,000 waiting jobs: Redis holds a window of them, and each runs once."""

from pathlib import Path

import pytest
from redis import Redis

from queues import ledger
from queues.models import Attempt, Job, Outbox
from queues.states import Outcome
from tests.jobapp.jobs import note, record_mail
from tests.processes import Processes, wait_for
from tests.queues.facts import messages, runs_not_once, states

pytestmark = pytest.mark.thorough

JOBS = 20_000
WINDOW = 5_000


def test_twenty_thousand_jobs_fill_the_window_and_run_once(processes: Processes, redis: Redis, tmp_path: Path):
    # given 20,000 waiting jobs, and a dispatcher, but no worker
    ledger.enqueue([note.request({"label": str(number)}) for number in range(JOBS)])
    settings = {
        "QUEUE_WINDOW": str(WINDOW),
        "QUEUE_POLL": "0.05",
        "LOG_LEVEL": "WARNING",
        "QUEUE_ORDER_CONCURRENCY": "30",
        "QUEUE_LEASE": "30",
        "QUEUE_RECHECK": "60",
    }
    dispatcher = processes.manage("dispatch", **settings)
    wait_for(lambda: redis.llen("rq:queue:order") == WINDOW)

    # when it has swept ten times more: each time it has found a mail
    for number in range(11):
        record_mail.enqueue(label="sweep")
        wait_for(lambda number=number: redis.llen("rq:queue:email") == number + 1)

    # then Redis holds exactly the window, and no job twice
    published = messages(redis)
    assert len(published) == len({message.split("-")[0] for message in published}) == WINDOW
    assert Outbox.objects.filter(queue="order", offered_at__isnull=False).count() == WINDOW
    assert states() == {"waiting": JOBS + 11}

    # and a worker runs all of them once
    notes = tmp_path / "notes"
    worker = processes.manage("rqworker", "order", "--burst", NOTES=str(notes), **settings)
    assert worker.exit_code(within=150) == 0
    assert runs_not_once(notes, JOBS) == {}
    assert states() == {"completed": JOBS, "waiting": 11}
    assert Job.objects.filter(queue="order", attempt=1, crashes=0).count() == JOBS
    assert Attempt.objects.exclude(outcome=Outcome.GIVEN_BACK).count() == JOBS
    assert dispatcher.stop() == 0
