"""The job threads of a queue: as many as there is work for, and no more."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from queues.worker import threads
from queues.worker.capacity import Durations
from queues.worker.threads import JobThreads
from tests.processes import wait_for

COUNT = 4


def living(prefix: str) -> int:
    return sum(thread.name.startswith(prefix) for thread in threading.enumerate())


class Jobs:
    """Threads that call what they are given as if it were an execution, and count who has called."""

    def __init__(self, name: str, count: int = COUNT) -> None:
        self.called_by: Counter[int] = Counter()
        self.durations = Durations()
        self.threads = JobThreads(count, name, self.durations, self._work)

    def run(self, *jobs: Callable[[], object]) -> None:
        self.threads.run(jobs)  # type: ignore[arg-type]  # it only hands them over

    @property
    def done(self) -> int:
        return self.called_by.total()

    def _work(self, job: Any) -> bool:
        job()
        self.called_by[threading.get_ident()] += 1
        return True


@pytest.fixture
def short(request: pytest.FixtureRequest) -> Jobs:
    """A queue that has seen many short jobs."""
    jobs = Jobs(request.node.name)
    for _ in range(500):
        jobs.durations.learn(0.00001)
    return jobs


def nothing() -> None:
    pass


def test_threads_with_nothing_to_do_end_and_come_again_when_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(threads, "IDLE", 0.05)
    jobs = Jobs("idle-test")
    jobs.run(*[nothing] * 4)
    wait_for(lambda: jobs.done == 4 and living("idle-test") == 0)
    assert jobs.threads.started == 0

    jobs.run(nothing)

    wait_for(lambda: jobs.done == 5)


def test_no_job_is_left_when_a_thread_ends_while_one_is_handed_over(monkeypatch: pytest.MonkeyPatch):
    # given a thread that ends again and again
    monkeypatch.setattr(threads, "IDLE", 0.0)
    jobs = Jobs("race-test", 1)

    for _ in range(2000):
        jobs.run(nothing)

    wait_for(lambda: jobs.done == 2000)


def test_jobs_that_are_not_known_to_be_short_run_all_at_once():
    jobs = Jobs("all-at-once")
    meeting = threading.Barrier(COUNT, timeout=10)

    jobs.run(*[meeting.wait] * COUNT)

    wait_for(lambda: jobs.done == COUNT)
    assert len(jobs.called_by) == COUNT


def test_short_jobs_are_run_by_one_thread_after_another(short: Jobs, monkeypatch: pytest.MonkeyPatch):
    # given that no pause of the machine counts as a job that keeps its thread busy
    monkeypatch.setattr(threads, "STALL", 60.0)
    running, most = threading.Lock(), []

    def short_job() -> None:
        most.append(running.acquire(blocking=False))
        time.sleep(0)  # lets any other thread in
        running.release()

    # when
    short.run(*[short_job] * 1000)

    # then no two ever ran at once
    wait_for(lambda: short.done == 1000)
    assert all(most)
    assert len(short.called_by) == 1


def test_job_that_takes_long_among_short_ones_holds_none_of_them_back(short: Jobs):
    # given jobs that end only when all of them run at once, one fewer than there are threads
    meeting = threading.Barrier(COUNT, timeout=10)

    # when they come before many short ones
    short.run(*[meeting.wait] * (COUNT - 1), *[nothing] * 1000)

    # then the last thread runs all of the short ones
    wait_for(lambda: short.done == 1000)
    meeting.wait()
    wait_for(lambda: short.done == 1000 + COUNT - 1)


def test_short_jobs_that_keep_coming_do_not_wait_for_one_that_takes_long(short: Jobs, monkeypatch: pytest.MonkeyPatch):
    # given one that keeps its thread busy
    monkeypatch.setattr(threads, "STALL", 0.5)
    end = threading.Event()
    short.run(end.wait)
    wait_for(lambda: not short.threads.waiting)

    # when others come faster than the watching thread checks whether jobs are begun
    until = time.monotonic() + 10
    while not short.done and time.monotonic() < until:
        short.run(nothing)
        time.sleep(0.05)

    # then they are run
    assert short.done
    end.set()


def test_place_of_a_thread_that_is_given_up_is_taken_by_another_at_once():
    # given that all threads hang, and jobs wait
    jobs, end = Jobs("abandoned"), threading.Event()
    jobs.run(*[end.wait] * COUNT, nothing)
    wait_for(lambda: len(jobs.threads.waiting) == 1)

    # when one is abandoned
    jobs.threads.abandon_one()

    # then the job that waits is run
    wait_for(lambda: jobs.done == 1)
    end.set()


def test_threads_end_when_they_are_asked_to():
    jobs = Jobs("asked-to-end")
    jobs.run(*[nothing] * 10)
    wait_for(lambda: jobs.done == 10)

    jobs.threads.end()

    wait_for(lambda: living("asked-to-end") == 0)
