"""SIGTERM: claim nothing more, let what runs end, requeue what was fetched."""

import http.client
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from redis import Redis

from queues import ledger
from queues.brokers.in_process import InProcessBroker
from queues.ledger import Admitted, outbox, workers
from queues.models import Attempt, Job, Worker
from queues.ops.text_tables import status_page
from queues.worker import fetcher, process
from queues.worker.process import WorkerProcess
from tests.jobapp.jobs import compute, record, wait_for_gate
from tests.processes import Processes, cut_connections, wait_for
from tests.queues.facts import ended, open_gate, runs, states, wait_for_state
from tests.queues.worker.web_process import READY, Web

MAILS = wait_for_gate.using(queue_name="email")


def test_five_run_at_once_and_sigterm_drains(processes: Processes, redis: Redis):
    # given five slots and twelve jobs
    worker = processes.manage("rqworker", "email", "--name", "w")
    for _ in range(12):
        MAILS.enqueue(label="mail", gate="g")
    wait_for(lambda: runs("mail") == 5)
    assert workers.is_ready("w")
    wait_for(lambda: sum(redis.llen(key) for key in redis.keys("rq:fetched:*")) == 5, every=0.01)
    assert states() == {"active": 5, "waiting": 7}

    # when it is asked to stop
    worker.send(signal.SIGTERM)
    wait_for(lambda: not workers.is_ready("w"))
    wait_for(lambda: redis.llen("rq:queue:email") == 7)
    assert worker.lives
    assert "draining" in status_page()
    open_gate("g")

    # then the five are completed, and the rest lies where another worker finds it
    assert worker.exit_code() == 0
    assert (runs("mail"), ended("mail"), states()) == (5, 5, {"completed": 5, "waiting": 7})
    assert set(Job.objects.filter(state="waiting").values_list("attempt", "crashes")) == {(0, 0)}
    assert redis.keys("rq:fetched:*") == []
    assert redis.llen("rq:queue:email") == 7
    assert Worker.objects.get().stopped_at is not None
    assert redis.hexists("rq:worker:w", "death")


def test_nothing_is_claimed_for_a_thread_that_comes_free_after_the_stop(worker_here: WorkerProcess):
    # given ten jobs that run, and a fetcher that waits for one of them and has received more
    ids = ledger.enqueue([wait_for_gate.request({"label": "a", "gate": "g"}) for _ in range(20)])
    wait_for(lambda: runs("a") == 10)
    (fetcher,) = worker_here.fetchers
    wait_for(lambda: fetcher.buffer)

    # when the process is asked to stop, and the ten end
    worker_here.stop()
    wait_for(fetcher.helper.stopping.is_set)
    open_gate("g")

    # then that was all
    wait_for(lambda: states().get("completed") == 10)
    wait_for(lambda: not fetcher.helper.is_alive())
    assert states() == {"completed": 10, "waiting": len(ids) - 10}
    assert Attempt.objects.count() == 10


def test_child_processes_are_killed_before_others_may_have_their_jobs(
    worker_here: WorkerProcess, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    # given a job that runs on, and no grace
    settings.QUEUE_GRACE = 0
    wait_for_gate.enqueue(label="a", gate="g")
    wait_for(lambda: runs("a") == 1)
    steps: list[str] = []

    def noted(act: Callable[..., None]) -> Callable[..., None]:
        def note_and_act(*args: Any) -> None:
            steps.append(act.__name__)
            act(*args)

        return note_and_act

    monkeypatch.setattr(worker_here.children, "stop", noted(worker_here.children.stop))
    monkeypatch.setattr(worker_here.completer, "release", noted(worker_here.completer.release))

    # when the process is asked to stop
    worker_here.stop()

    # then the job waits again, after all children have ended
    wait_for(lambda: states() == {"waiting": 1})
    assert steps == ["stop", "release"]
    open_gate("g")


@pytest.mark.parametrize("mode", ["rq", "in-process"])
def test_job_that_does_not_end_within_the_grace_is_released(processes: Processes, mode: str):
    worker = processes.manage("work", "order", WORKER_MODE=mode, QUEUE_GRACE="0.5")
    slow = wait_for_gate.enqueue(label="slow", gate="g").id
    in_child = compute.enqueue(label="child", gate="g").id
    wait_for(lambda: runs("slow") == runs("child") == 1)

    assert worker.stop() == 0

    for job in Job.objects.filter(pk__in=[slow, in_child]):
        assert (job.state, job.attempt, job.crashes, job.suspect) == ("waiting", 0, 0, False)
        assert [attempt.outcome for attempt in job.attempts.all()] == ["given back"]


def test_worker_whose_connections_were_cut_before_it_is_stopped_ends_in_good_order(processes: Processes):
    # given a worker that goes on after a cut, with a job that does not end
    worker = processes.manage("rqworker", "order", QUEUE_GRACE="0.5")
    wait_for_state(record.enqueue(label="before").id, "completed")
    cut_connections()
    wait_for_state(record.enqueue(label="after").id, "completed")
    slow = wait_for_gate.enqueue(label="slow", gate="g").id
    wait_for(lambda: runs("slow") == 1)

    # when it is stopped
    assert worker.stop() == 0

    # then its row says that it drained and ended, and the job is free at once
    row = Worker.objects.get()
    assert row.draining_at is not None
    assert row.stopped_at is not None
    assert Job.objects.get(pk=slow).attempts.get().outcome == "given back"


def test_burst_outlives_a_cut_while_it_asks_whether_anything_is_left(ledger_db: None, monkeypatch: pytest.MonkeyPatch):
    anything_left, cuts = outbox.anything_left, iter([OperationalError("cut")])

    def answer_at_the_second_try(*args: Any) -> bool:
        for cut in cuts:
            raise cut
        return anything_left(*args)

    monkeypatch.setattr(outbox, "anything_left", answer_at_the_second_try)
    record.enqueue(label="a")

    assert WorkerProcess(["order"], InProcessBroker(), name="burst", burst=True).run() == 1

    assert next(cuts, None) is None
    assert states() == {"completed": 1}


def test_drain_waits_for_a_claim_that_is_not_answered_yet(
    worker_here: WorkerProcess, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    """The fetcher is not waited for as long as the jobs."""
    # given a claim on its way
    claim, answered = ledger.claim, threading.Event()

    def claim_slowly(*args: Any) -> Admitted:
        admitted = claim(*args)
        if admitted.claims:
            assert answered.wait(60)
        return admitted

    monkeypatch.setattr(fetcher.ledger, "claim", claim_slowly)
    monkeypatch.setattr(process, "FETCHER_ENDS_WITHIN", 0.1)
    job_id = record.enqueue(label="a").id
    wait_for_state(job_id, "active")

    # when the process is asked to stop, and some beats later the claim is answered
    worker_here.stop()
    wait_for(lambda: Worker.objects.get().draining_at)
    beat = Worker.objects.get().beat_at
    wait_for(lambda: (Worker.objects.get().beat_at - beat).total_seconds() > 0.5)
    answered.set()

    # then the job runs to its end before the process deregisters
    wait_for_state(job_id, "completed")
    wait_for(lambda: Worker.objects.get().stopped_at)
    assert Attempt.objects.get().outcome == "completed"


def test_jobs_that_a_stopped_worker_left_run_on_the_next(processes: Processes):
    first = processes.manage("rqworker", "order", QUEUE_GRACE="60")
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    wait_for(lambda: runs("a") == 1)
    first.send(signal.SIGTERM)
    second = processes.manage("rqworker", "order", "--burst")
    second.exit_code()
    assert runs("a") == 1
    open_gate("g")

    assert first.exit_code() == 0
    assert wait_for_state(job_id, "completed").attempt == 1


def test_web_that_is_stopped_says_so_to_whoever_is_still_connected(processes: Processes):
    # given a web that is ready, and a load balancer that keeps its connection
    web = Web(processes)
    wait_for(lambda: web.status() == 200)
    balancer = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    assert ask_whether_ready(balancer) == 200

    # when it is asked to stop
    web.process.send(signal.SIGTERM)

    # then the next answer on that connection sends the balancer elsewhere, and the web ends in good order
    wait_for(lambda: ask_whether_ready(balancer) == 503)
    assert web.process.exit_code() == 0


def ask_whether_ready(balancer: http.client.HTTPConnection) -> int:
    balancer.request("GET", READY)
    answer = balancer.getresponse()
    answer.read()
    return answer.status
