"""SIGTERM or SIGINT again: the process ends as it is."""

import signal
import time

import pytest

from queues.models import Job, Worker
from queues.supervisor import supervised
from tests.jobapp.jobs import wait_for_gate
from tests.processes import Processes, wait_for
from tests.queues.facts import runs


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("mode", ["rq", "in-process"])
def test_second_signal_ends_at_once(processes: Processes, mode: str, number: signal.Signals):
    # given a worker that drains, with a job that does not end
    worker = processes.manage("work", "order", WORKER_MODE=mode, QUEUE_GRACE="60")
    job_id = wait_for_gate.enqueue(label="slow", gate="g").id
    wait_for(lambda: runs("slow") == 1)
    worker.send(number)
    wait_for(lambda: Worker.objects.get().draining_at)
    draining_since = time.monotonic()
    wait_for(lambda: time.monotonic() - draining_since > supervised.TWICE)
    assert worker.lives

    # when the signal comes again
    worker.send(number)

    # then it ends as it is
    assert worker.exit_code() == 1
    assert Job.objects.get(pk=job_id).state == "active"


def test_signal_that_comes_twice_at_once_is_one(monkeypatch: pytest.MonkeyPatch):
    """Ctrl-C reaches parent and child, and the parent passes it on."""
    monkeypatch.setattr(supervised, "TWICE", 1000.0)
    before, stops = signal.getsignal(signal.SIGINT), []
    supervised.stop_on_signals(lambda: stops.append("asked"))

    try:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    finally:
        for number in supervised.STOPS:
            signal.signal(number, before if number == signal.SIGINT else signal.SIG_DFL)

    assert stops == ["asked"]
