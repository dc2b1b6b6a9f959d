"""A worker sends signals about reports and verdicts from a thread of its own: in order, after the commit."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from queues import progress, signals
from queues.helper_thread import HelperThread
from queues.models import Job
from queues.worker import signal_sender
from queues.worker.process import WorkerProcess
from tests.jobapp.jobs import record
from tests.processes import wait_for
from tests.queues.facts import states, wait_for_state, write_jobs


class Receiver:
    """Notes what comes and in which thread; waits in the first call until it may go on."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.seen: list[tuple[str, int]] = []
        self.threads: set[str] = set()
        self.states: list[str] = []

    def completed(self, job_id: int, **_: Any) -> None:
        self._note("completed", job_id)

    def progressed(self, job_id: int, progress: int, **_: Any) -> None:
        self._note(f"{progress} %", job_id)

    def _note(self, what: str, job_id: int) -> None:
        self.states.append(Job.objects.get(pk=job_id).state)
        self.seen.append((what, job_id))
        self.threads.add(threading.current_thread().name)
        assert self.may_go_on.wait(60)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    signals.job_completed.connect(one.completed)
    signals.job_progressed.connect(one.progressed)
    yield one
    one.may_go_on.set()
    signals.job_completed.disconnect(one.completed)
    signals.job_progressed.disconnect(one.progressed)


@pytest.mark.usefixtures("worker_here")
def test_slow_receiver_delays_no_verdict_and_gets_all_in_order(receiver: Receiver, define: Any):
    # given a receiver that stands still in its first call
    first = define(lambda: progress(50)).enqueue().id
    wait_for(lambda: receiver.seen)

    # when more jobs end
    others = [record.enqueue(label=str(number)).id for number in range(20)]

    # then their verdicts are written
    for job_id in (first, *others):
        wait_for_state(job_id, "completed")
    assert len(receiver.seen) == 1

    # and the receiver gets each signal once, progress before the verdict, after the commit, in one thread
    receiver.may_go_on.set()
    wait_for(lambda: len(receiver.seen) == 22)
    assert receiver.seen[:2] == [("50 %", first), ("completed", first)]
    assert sorted(receiver.seen[2:]) == [("completed", job_id) for job_id in others]
    assert set(receiver.states[1:]) == {"completed"}
    assert receiver.threads == {"signals"}


def count_turns(helper: HelperThread, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows with each turn from now on."""
    turn, turns = helper.turn, list[object]()

    def counted() -> None:
        turns.append(turn())

    monkeypatch.setattr(helper, "turn", counted)
    return turns


def test_worker_whose_receivers_are_far_behind_claims_nothing_until_they_have_caught_up(
    worker_here: WorkerProcess, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    # given a receiver that stands still, and more signals than may wait
    monkeypatch.setattr(signal_sender, "MOST_WAITING", 3)
    write_jobs(6)
    wait_for(lambda: states() == {"completed": 6} and worker_here.completer.is_behind)
    turns = count_turns(worker_here.fetchers[0].helper, monkeypatch)
    wait_for(lambda: len(turns) >= 2)  # the turn before may still receive

    # when there is another job, and the fetcher has had some turns
    later = record.enqueue(label="later").id
    before = len(turns)
    wait_for(lambda: len(turns) >= before + 3)

    # then it waits
    assert states() == {"completed": 6, "waiting": 1}

    # and it runs when the receiver has caught up
    receiver.may_go_on.set()
    wait_for_state(later, "completed")
