"""What a worker outlives: errors that nobody thought of, and connections to PostgreSQL that are cut."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from queues.brokers.in_process import InProcessBroker, InProcessConsumer
from queues.dispatcher import Dispatcher
from queues.ledger import workers
from queues.maintenance.rescuer import Rescuer
from queues.models import Job
from queues.worker import fetcher
from queues.worker.process import WorkerProcess
from tests.jobapp.jobs import compute, record, wait_for_gate
from tests.processes import Processes, cut_connections, wait_for
from tests.queues.facts import open_gate, runs, states, wait_for_state


def failing_once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> Callable[[], bool]:
    """Let the next call raise an error that no code expects; the returned function says whether it has happened."""
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
        (fetcher.ledger, "claim"),
        (InProcessConsumer, "claimed"),
        (InProcessBroker, "wake"),
        (Dispatcher, "offer"),
        (Dispatcher, "remove_withdrawn"),
        (Rescuer, "sweep"),
        (workers, "renew"),
        (fetcher.ledger, "finish"),
        (fetcher.registry, "runs_in_child"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unforeseen_error_stops_no_part_of_a_worker(
    worker_here: WorkerProcess, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
):
    has_failed = failing_once(monkeypatch, owner, name)

    first = record.enqueue(label="first").id
    wait_for(has_failed)
    second = record.enqueue(label="second").id

    for job_id in (first, second):
        wait_for_state(job_id, "completed")
    assert all(fetcher.helper.is_alive() for fetcher in worker_here.fetchers)
    wait_for(lambda: worker_here.held.is_empty)
    names = {thread.name for thread in threading.enumerate()}
    assert {"heartbeat", "dispatcher", "housekeeper", "fetcher-order"} <= names


def test_cut_connections_to_postgresql_lose_no_job_and_rescue_nobody(processes: Processes):
    # given a worker with running jobs, one of them in a child
    worker = processes.manage("rqworker", "order", QUEUE_ORDER_BACKOFF_DELAY="100")
    ids = [wait_for_gate.enqueue(label=f"thread {n}", gate="g").id for n in range(3)]
    ids.append(compute.enqueue(label="child", gate="g").id)
    wait_for(lambda: all(runs(label) for label in ("thread 0", "thread 1", "thread 2", "child")))

    # when PostgreSQL ends every connection but ours, as a restart does
    assert cut_connections() >= 7
    during = record.enqueue(label="during").id
    open_gate("g")

    # then all jobs are completed by the same worker, and none is called crashed
    for job_id in [*ids, during]:
        wait_for_state(job_id, "completed")
    assert set(Job.objects.values_list("crashes", flat=True)) == {0}
    assert worker.lives
    assert states() == {"completed": 5}
