"""The loop of every helper thread: again and again until stopped, whatever a turn raises."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError

from queues import helper_thread
from queues.helper_thread import HelperThread
from tests.processes import wait_for


@contextmanager
def running(turn: Callable[[], object], **options: Any) -> Iterator[HelperThread]:
    one = HelperThread("helper", turn, **options)
    one.start()
    try:
        yield one
    finally:
        one.stop()
        one.join(10)
        assert not one.is_alive()


def waits_of(one: HelperThread, turns: int) -> list[float | None]:
    """How long it waits before each of so many turns; nobody really waits."""
    waits: list[float | None] = []

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return len(waits) > turns

    one.stopping = Stopping()
    one.start()
    one.join(10)
    return waits


def test_slow_turn_is_followed_at_once_by_the_next(monkeypatch: pytest.MonkeyPatch):
    """PostgreSQL writes when a heartbeat began: one that waited for the disk is old when it is there."""
    # given heartbeats of which each takes two seconds, the last four
    clock, takes = [0.0], iter([2.0, 2.0, 4.0])

    def beat() -> None:
        clock[0] += next(takes)

    monkeypatch.setattr(helper_thread.time, "monotonic", lambda: clock[0])

    assert waits_of(HelperThread("heartbeat", beat, every=3.0), 3) == [3.0, 1.0, 1.0, 0.0]


def test_pauses_grow_while_turns_fail_and_begin_again_after_one_that_succeeds(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    # given turns that fail seven times, succeed, and fail again
    monkeypatch.setattr(helper_thread.time, "monotonic", lambda: 0.0)
    outcomes: Iterator[Exception | None] = iter([*[OperationalError("away")] * 7, None, OperationalError("away")])

    def turn() -> None:
        error = next(outcomes)
        if error is not None:
            raise error

    # when they are taken
    with caplog.at_level(logging.WARNING, logger="queues.helper_thread"):
        waits = waits_of(HelperThread("helper", turn, every=7.0), 9)

    # then each failure is one line without a traceback
    assert waits == [7.0, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 7.0, 0.25]
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "helper pauses for 0.2 s: away"
    assert (len(lines), [record.exc_info for record in caplog.records if record.exc_info]) == (8, [])


def test_error_that_is_no_outage_is_logged_with_its_traceback_and_ends_nothing(caplog: pytest.LogCaptureFixture):
    turns = iter([ZeroDivisionError("unforeseen")])
    later = threading.Event()

    def turn() -> None:
        for error in turns:
            raise error
        later.set()

    with running(turn):
        assert later.wait(10)

    assert "ZeroDivisionError: unforeseen" in caplog.text


def test_last_turn_comes_once_after_all_others_also_if_it_fails(caplog: pytest.LogCaptureFixture):
    calls: list[str] = []

    def last() -> None:
        calls.append("last")
        raise ZeroDivisionError("in the end")

    with running(lambda: calls.append("turn"), last_turn=last):
        wait_for(lambda: "turn" in calls)

    assert (calls.count("last"), calls[-1]) == (1, "last")
    assert "helper did not end in good order: in the end" in caplog.text
