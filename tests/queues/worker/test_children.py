"""Child processes for CPU work and suspects: their ends, and the fork server's."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from queues.models import Attempt, Worker
from queues.worker.children import pool
from queues.worker.children.pool import BOOT, Child, Children
from tests.jobapp.jobs import compute, record, wait_for_gate
from tests.jobapp.models import Run
from tests.processes import Processes, database_url, is_gone, wait_for
from tests.queues.claims import claim_for, execution_of
from tests.queues.facts import open_gate, runs, wait_for_state


def test_children_end_each_for_itself_and_a_fork_server_that_dies_is_replaced(processes: Processes):
    worker = processes.manage("rqworker")
    short = compute.enqueue(label="short", gate="s").id
    wait_for(lambda: runs("short") == 1)
    long = compute.enqueue(label="long", gate="g").id
    wait_for(lambda: runs("long") == 1)

    # a short job gets its verdict at once, whether its child was forked before or after that of a long one
    open_gate("s")
    on_cpu_queue = record.using(queue_name="reports").enqueue(label="on a CPU queue").id
    for job_id in (short, on_cpu_queue):
        wait_for_state(job_id, "completed")
    pids = dict(Run.objects.values_list("label", "pid"))
    assert not {Worker.objects.get().pid, worker.pid} & {*pids.values()}
    assert pids["long"] not in {pids["short"], pids["on a CPU queue"]}

    # when the fork server is killed, its child goes too, and the job runs again without blame
    psutil.Process(pids["long"]).parent().send_signal(signal.SIGKILL)  # type: ignore[union-attr]
    wait_for(lambda: runs("long") == 2)
    assert is_gone(pids["long"])
    open_gate("g")
    job = wait_for_state(long, "completed")
    assert (job.attempt, job.crashes) == (1, 0)
    assert [attempt.outcome for attempt in job.attempts.all()] == ["given back", "completed"]


def test_child_is_killed_at_its_deadline(processes: Processes):
    processes.manage("rqworker", "order", ORDER_TIMEOUT="2")
    late = compute.enqueue(label="late", gate="never").id
    wait_for(lambda: runs("late") == 1)
    child = Run.objects.get().pid

    attempt = wait_for(lambda: Attempt.objects.filter(job_id=late, outcome="timed out").first())

    assert (attempt.number, attempt.error) == (1, "timed out after 2 s")
    wait_for(lambda: is_gone(child))


@pytest.fixture
def children_here(ledger_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Children]:
    """The parent's side, in this process."""
    monkeypatch.setenv("DATABASE_URL", database_url())
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.jobapp.settings")
    monkeypatch.setenv("QUEUE_CHILD_JOBS", "3")
    started = Children()
    yield started
    started.stop()


def run_in_child(children_here: Children, job: Any, **args: Any) -> str:
    return children_here.run(execution_of(claim_for(None, job, **args))).outcome


def test_children_are_kept_for_further_jobs_and_replaced_after_some(children_here: Children):
    outcomes = [run_in_child(children_here, compute, label=str(number)) for number in range(7)]

    assert outcomes == ["completed"] * 7
    pids = list(Run.objects.order_by("pk").values_list("pid", flat=True))
    assert pids == [pids[0]] * 3 + [pids[3]] * 3 + [pids[6]]
    assert len(set(pids)) == 3
    wait_for(lambda: is_gone(pids[0]) and is_gone(pids[3]))


def test_suspect_gets_a_child_of_its_own(children_here: Children):
    run_in_child(children_here, compute, label="before")
    suspect = claim_for(None, compute, label="suspect")._replace(suspect=True)

    assert children_here.run(execution_of(suspect)).outcome == "completed"

    run_in_child(children_here, compute, label="after")
    pids = dict(Run.objects.values_list("label", "pid"))
    assert pids["before"] == pids["after"] != pids["suspect"]
    wait_for(lambda: is_gone(pids["suspect"]))


def test_no_child_is_started_once_all_were_stopped(children_here: Children):
    run_in_child(children_here, compute, label="before")
    children_here.stop()

    assert run_in_child(children_here, compute, label="after") == "given back"

    assert [run.label for run in Run.objects.all()] == ["before"]


def test_job_is_not_blamed_for_a_kept_child_that_has_died(children_here: Children):
    run_in_child(children_here, compute, label="before")
    child = Run.objects.get().pid
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: is_gone(child))

    assert run_in_child(children_here, compute, label="after") == "completed"
    assert Run.objects.get(label="after").pid != child


def test_children_with_nothing_to_do_end(children_here: Children, monkeypatch: pytest.MonkeyPatch):
    short = "import main; import queues.worker.children.forkserver as f; f.IDLE; f.IDLE = 0.2;"
    monkeypatch.setattr(pool, "BOOT", BOOT.replace("import main;", short))
    run_in_child(children_here, compute, label="before")
    wait_for(lambda: is_gone(Run.objects.get().pid))

    assert run_in_child(children_here, compute, label="after") == "completed"


def test_kept_child_is_killed_at_the_deadline_of_its_job_and_not_used_again(children_here: Children, settings: Any):
    run_in_child(children_here, compute, label="before")
    child = Run.objects.get().pid

    usual = settings.QUEUES
    settings.QUEUES = {**usual, "order": {**usual["order"], "timeout": 1.0}}
    assert run_in_child(children_here, compute, label="late", gate="never") == "timed out"

    settings.QUEUES = usual
    wait_for(lambda: is_gone(child))
    assert run_in_child(children_here, compute, label="after") == "completed"


@pytest.fixture
def slow_fork_server(ledger_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Children]:
    """It takes longer to start than a job of the order queue may take."""
    monkeypatch.setenv("DATABASE_URL", database_url())
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.jobapp.settings")
    monkeypatch.setattr(pool, "BOOT", f"import time; time.sleep(3); {BOOT}")
    settings.QUEUES = {**settings.QUEUES, "order": {**settings.QUEUES["order"], "timeout": 3.0}}
    started = Children()
    yield started
    started.stop()


def test_time_of_a_job_begins_with_its_child(slow_fork_server: Children):
    claim = claim_for(None, compute, label="late")

    verdict = slow_fork_server.run(execution_of(claim))

    assert (verdict.outcome, runs("late")) == ("completed", 1)


def test_job_whose_child_does_not_come_is_released(slow_fork_server: Children, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pool, "LONGEST_START", 0.1)
    claim = claim_for(None, compute, label="late")

    verdict = slow_fork_server.run(execution_of(claim))

    # then it is as if it had not been claimed, and the child that comes later finds nobody and runs nothing
    assert (verdict.outcome, verdict.attempt_not_counted) == ("given back", True)
    monkeypatch.setattr(pool, "LONGEST_START", 60.0)
    assert slow_fork_server.run(execution_of(claim_for(None, compute, label="next"))).outcome == "completed"
    assert runs("late") == 0


def test_messages_do_not_move_the_deadline():
    ours, theirs = socket.socketpair()
    deadline = time.monotonic() + 0.3

    def talk() -> None:
        with contextlib.suppress(OSError):
            while True:
                theirs.sendall(b'{"progress": 1}\n')
                time.sleep(0.02)

    with ours, theirs:
        threading.Thread(target=talk, daemon=True).start()
        with pytest.raises(TimeoutError):
            child = Child(ours)
            child.deadline = deadline
            for message in child:
                assert message == {"progress": 1}
                assert time.monotonic() < deadline + 10


def test_job_in_a_thread_is_not_in_a_child(processes: Processes):
    wait_for_gate.enqueue(label="thread", gate="g")
    open_gate("g")

    worker = processes.manage("rqworker", "order", "--burst")

    assert worker.exit_code() == 0
    assert Run.objects.get().pid == Worker.objects.get().pid
    assert Run.objects.get().thread.startswith("job-order")
