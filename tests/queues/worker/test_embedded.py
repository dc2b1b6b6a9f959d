"""WORKER_MODE=in-process: jobs run inside the web processes, beside the requests, and survive their death."""

import os
import signal
import sys
import threading
import urllib.request
from collections.abc import Callable

import pytest

from bharatmart.devservers.server import free_port
from queues.models import Job, Worker
from tests.jobapp.jobs import record, wait_for_gate
from tests.jobapp.models import Run
from tests.processes import Processes, Started, wait_for
from tests.queues.facts import open_gate, runs, wait_for_state

Web = tuple[Started, Callable[..., str]]


@pytest.fixture
def web(processes: Processes) -> Web:
    """A real gunicorn of two processes, and a way to ask it."""
    port = free_port()
    started = processes.run(
        *(sys.executable, "-m", "gunicorn", "bharatmart.wsgi", "--workers", "2", "--threads", "4"),
        *("--bind", f"127.0.0.1:{port}", "--no-control-socket", "--graceful-timeout", "15"),
        name="gunicorn",
        WORKER_MODE="in-process",
        QUEUE_REDIS_URL="redis://127.0.0.1:9/0",
    )

    def ask(path: str, timeout: float = 5) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=timeout) as answer:
            return str(answer.read().decode())

    wait_for(lambda: _answers(ask))
    return started, ask


def _answers(ask: Callable[..., str]) -> bool:
    try:
        return bool(ask("whoami"))
    except OSError:
        return False


def web_pids() -> set[int]:
    """The living web processes that run jobs."""
    return set(Worker.objects.filter(name="web", stopped_at=None).values_list("pid", flat=True))


def test_job_runs_after_the_request_in_another_thread_of_a_web_process(web: Web):
    _, ask = web

    request_pid, request_thread = ask("enqueue?label=a").split(" ", 1)

    wait_for_state(Job.objects.get().pk, "completed")
    run = Run.objects.get()
    pids = {int(ask("whoami").split()[0]) for _ in range(20)}
    assert run.thread.startswith("job-order")
    assert run.thread != request_thread
    wait_for(lambda: pids | {int(request_pid)} <= web_pids())
    assert run.pid in web_pids()
    assert len(web_pids()) <= 2


def test_jobs_survive_a_kill_of_the_web_process(web: Web):
    # given a job that runs in a web process
    _, ask = web
    job_id = wait_for_gate.enqueue(label="a", gate="g").id
    ask("whoami")
    wait_for(lambda: runs("a") == 1)

    # when that process is killed, and another comes to its first request
    os.kill(Run.objects.get().pid, signal.SIGKILL)
    open_gate("g")
    wait_for(lambda: _answers(ask) and runs("a") == 2, every=0.2)

    # then the job is completed
    job = wait_for_state(job_id, "completed")
    assert (job.attempt, job.crashes) == (1, 1)


def test_web_process_that_is_stopped_lets_its_jobs_end(web: Web):
    started, ask = web
    job_id = wait_for_gate.enqueue(label="slow", gate="g").id
    ask("whoami")
    wait_for(lambda: runs("slow") == 1)

    started.send(signal.SIGTERM)
    later = [record.enqueue(label="later").id for _ in range(5)]
    wait_for(lambda: not _answers(ask))
    open_gate("g")

    assert started.exit_code() == 0
    assert Job.objects.get(pk=job_id).state == "completed"
    assert Job.objects.filter(pk__in=later, state="active").count() == 0
    assert not Worker.objects.filter(stopped_at=None).exists()


def test_web_process_that_is_stopped_takes_no_new_request_and_answers_what_it_has_begun(web: Web):
    # given a request that takes long
    started, ask = web
    answers = list[str]()
    slow = threading.Thread(target=lambda: answers.append(ask("hold?gate=h", timeout=30)))
    slow.start()
    wait_for(lambda: runs("held") == 1)

    # when it is asked to stop
    started.send(signal.SIGTERM)
    wait_for(lambda: not _answers(ask))
    assert not answers
    open_gate("h")

    # then the request gets its answer, and the process ends in good order
    slow.join(20)
    assert answers
    assert started.exit_code() == 0
