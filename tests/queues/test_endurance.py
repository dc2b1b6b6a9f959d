"""What a worker outlives: errors that nobody thought of, and connections to PostgreSQL that are cut."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, connections

from queues import lane, lease
from queues.brokers.in_process import InProcessBroker
from queues.dispatcher import Dispatcher
from queues.executor import Executor
from queues.housekeeping import Housekeeper
from queues.ledger import Claim
from queues.models import Job
from tests.jobapp.jobs import compute, record, wait_for_gate
from tests.processes import Processes, wait_for
from tests.queues.facts import open_gate, runs, states, wait_for_state


@pytest.fixture
def quick(settings: Any) -> None:
    settings.QUEUE_POLL = settings.QUEUE_HEARTBEAT = settings.QUEUE_SWEEP = 0.05
    settings.QUEUE_RECHECK = 0.2


@pytest.fixture
def executor(ledger_db: None, quick: None) -> Iterator[Executor]:
    """An executor in a thread of the test process, without a broker."""
    executor = Executor(["order"], InProcessBroker(), name="thread")

    def run() -> None:
        executor.run()
        connections.close_all()

    thread = threading.Thread(target=run, name="executor")
    thread.start()
    yield executor
    executor.stop()
    thread.join(20)
    assert not thread.is_alive()


def failing_once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> Callable[[], bool]:
    """Let the next call raise what no code expects; tells whether it has."""
    original = getattr(owner, name)
    failures: list[str] = []

    def fail(*args: Any, **kwargs: Any) -> Any:
        if not failures:
            failures.append(name)
            raise ZeroDivisionError("unforeseen")
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, fail)
    return lambda: bool(failures)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (lane.ledger, "claim"),
        (lane.outbox, "still_waiting"),
        (InProcessBroker, "wake"),
        (Dispatcher, "offer"),
        (Dispatcher, "remove_withdrawn"),
        (Housekeeper, "look"),
        (lease, "renew"),
        (lane.ledger, "finish_all"),
        (lane.ledger, "runs_in_child"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unforeseen_error_stops_no_part_of_a_worker(
    executor: Executor, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
):
    has_failed = failing_once(monkeypatch, owner, name)

    first = record.enqueue(label="first").id
    wait_for(has_failed)
    second = record.enqueue(label="second").id

    for job_id in (first, second):
        wait_for_state(job_id, "completed")
    assert all(thread.is_alive() for thread in executor.lanes)
    wait_for(lambda: not executor.in_flight)
    names = {thread.name for thread in threading.enumerate()}
    assert {"heartbeat", "dispatcher", "housekeeper", "lane-order"} <= names


def test_cut_connections_to_postgresql_lose_no_job_and_rescue_nobody(processes: Processes):
    # given a worker with running jobs, one of them in a child
    worker = processes.manage("rqworker", "order", QUEUE_ORDER_BACKOFF_DELAY="100")
    ids = [wait_for_gate.enqueue(label=f"thread {n}", gate="g").id for n in range(3)]
    ids.append(compute.enqueue(label="child", gate="g").id)
    wait_for(lambda: all(runs(label) for label in ("thread 0", "thread 1", "thread 2", "child")))

    # when PostgreSQL ends every connection but ours, as a restart does
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cursor.fetchone()[0] >= 7
    during = record.enqueue(label="during").id
    open_gate("g")

    # then all jobs are completed by the same worker, and none is called crashed
    for job_id in [*ids, during]:
        wait_for_state(job_id, "completed")
    assert set(Job.objects.values_list("crashes", flat=True)) == {0}
    assert worker.lives
    assert states() == {"completed": 5}


def test_job_whose_claim_is_answered_late_runs_once(executor: Executor, monkeypatch: pytest.MonkeyPatch):
    """As when PostgreSQL's disk holds the reply up: the heartbeat sees the job in the ledger before its lane does."""
    claim, renew = lane.ledger.claim, lease.renew
    beats: list[int] = []

    def claim_late(*args: Any) -> list[Claim]:
        claims = claim(*args)
        seen = len(beats)
        wait_for(lambda: len(beats) > seen + 10)
        return claims

    def count_beat(worker_id: int) -> bool:
        beats.append(worker_id)
        return renew(worker_id)

    monkeypatch.setattr(lane.ledger, "claim", claim_late)
    monkeypatch.setattr(lease, "renew", count_beat)

    job_id = record.enqueue(label="late").id

    assert wait_for_state(job_id, "completed").attempts.count() == 1
    assert runs("late") == 1
