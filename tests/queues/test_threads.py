"""The threads of a lane: as many as there is work for, and no more."""

import threading
from collections import Counter
from typing import Any

import pytest

from queues import threads
from queues.threads import Threads
from tests.processes import wait_for


def living(prefix: str) -> int:
    return sum(thread.name.startswith(prefix) for thread in threading.enumerate())


def test_threads_with_nothing_to_do_end_and_come_again_when_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(threads, "IDLE", 0.05)
    done: Counter[Any] = Counter()
    lane = Threads(4, "idle-test", lambda claim: bool(done.update([claim]) or True))
    for number in range(1, 5):
        lane.run(number)  # type: ignore[arg-type]  # it only hands them over
    wait_for(lambda: living("idle-test") == 0)
    assert lane.started == 0

    lane.run(5)  # type: ignore[arg-type]

    wait_for(lambda: done.total() == 5)
    assert set(done) == {1, 2, 3, 4, 5}


def test_no_job_is_left_when_a_thread_ends_while_one_is_handed_over(monkeypatch: pytest.MonkeyPatch):
    # given a thread that ends again and again
    monkeypatch.setattr(threads, "IDLE", 0.0)
    done: Counter[Any] = Counter()
    lane = Threads(1, "race-test", lambda claim: bool(done.update([claim]) or True))

    for number in range(1, 2001):
        lane.run(number)  # type: ignore[arg-type]

    wait_for(lambda: done.total() == 2000)
    assert set(done.values()) == {1}
