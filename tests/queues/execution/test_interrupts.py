"""The deadline's exception and the moment in which a job ends: it comes in the job or never, and at most once."""

import itertools
import logging
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from queues.errors import DeadlineExceeded
from queues.execution import deadlines, interrupts, judge
from queues.execution.deadlines import Deadlines, Run
from queues.helper_thread import HelperThread
from queues.lifecycle.claim import Claim
from queues.lifecycle.execution import Execution
from queues.lifecycle.verdict import Verdict
from queues.settings import queue_named

THREADS = 3
ROUNDS = 1500
LONG = "payment"
SHORT = "email"


def never(*_: object) -> None:
    raise AssertionError("no job hangs")


def deadlines_here() -> Deadlines:
    return Deadlines(never, on_hang=never)


@pytest.fixture
def watch(settings: Any) -> Iterator[Deadlines]:
    """A watchdog that checks without a pause; the time-out of the short queue is about as long as its jobs."""
    settings.QUEUES = {SHORT: {"timeout": 0.001}, LONG: {"timeout": 60}}
    settings.QUEUE_DEADLINE_GRACE = 60
    watch = deadlines_here()
    helper = HelperThread("deadlines", watch.check, every=0.0001)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.00001)  # seconds; threads take turns almost at every bytecode
    helper.start()
    yield watch
    sys.setswitchinterval(interval)
    helper.stop()
    helper.join(10)


def execution_on(queue: str, to: int) -> Execution:
    """A job that counts, on this queue."""
    values = {"name": "jobapp.count", "args": {"to": to}, "subject": "", "key": None, "lone_crashes": 0}
    numbers = {"id": 1, "attempt": 1, "max_attempts": 3, "offer": 1, "priority": 0}
    claim = Claim(**values, **numbers, queue=queue, suspect=False, token=uuid4(), started_at=time.time())  # type: ignore[arg-type]
    return Execution(claim, queue_named(queue))


def in_threads(work: Callable[[], None], count: int = THREADS) -> list[BaseException]:
    """Run it in so many threads at once; what escaped from it."""
    escaped: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            escaped.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return escaped


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it may come in some __del__
def test_exception_never_hits_the_next_job(watch: Deadlines):
    """Thousands of jobs end in the moment of their deadline; between them run others that have all the time."""
    short, long = Counter[str](), Counter[str]()

    def work() -> None:
        for _ in range(ROUNDS):
            verdict = watch.run_job(execution_on(SHORT, random.randrange(2_000, 40_000)), never)
            short[verdict.outcome if verdict else "abandoned"] += 1
            for _ in range(3):
                verdict = watch.run_job(execution_on(LONG, 1_000), never)
                long[verdict.outcome if verdict else "abandoned"] += 1

    assert in_threads(work) == []

    assert long == {"completed": 3 * THREADS * ROUNDS}
    assert set(short) == {"completed", "timed out"}
    assert min(short.values()) > 50, short


def test_exception_that_is_on_its_way_when_the_job_ends_does_not_come_after_it(
    watch: Deadlines, monkeypatch: pytest.MonkeyPatch
):
    """The rival on the exact line: the watchdog has decided and is slow to act, while the job ends."""
    original = deadlines.raise_in

    def slowly(thread: int, exception: type[BaseException] | None) -> None:
        if exception is not None:
            time.sleep(0.01)
        original(thread, exception)

    monkeypatch.setattr(deadlines, "raise_in", slowly)
    verdicts: list[str] = []

    def work() -> None:
        for to in itertools.islice(itertools.cycle(range(10_000, 200_000, 10_000)), 100):
            verdict = watch.run_job(execution_on(SHORT, to), never)
            verdicts.append(verdict.outcome if verdict else "abandoned")
            for _ in range(1000):
                pass

    assert in_threads(work) == []
    assert set(verdicts) <= {"completed", "timed out"}


def test_exception_waits_while_the_thread_may_hold_a_lock_of_all():
    """A logging handler whose lock stays taken would halt every other thread."""
    run = Run(execution_on(LONG, 1), never)

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            run.interrupt()

    logger = logging.Logger("some job's")
    logger.addHandler(Handler())

    logger.warning("halfway")
    assert not run.interrupted

    with pytest.raises(DeadlineExceeded):
        run.interrupt()
        time.sleep(1)


def test_job_gets_its_chance_when_the_watchdog_was_held_up(settings: Any):
    """As after SIGSTOP: the grace begins with the first check, not with the deadline."""
    settings.QUEUES = {SHORT: {"timeout": 0.001}}
    settings.QUEUE_DEADLINE_GRACE = 0.3
    watch = deadlines_here()
    verdicts: list[Verdict | None] = []
    job = threading.Thread(target=lambda: verdicts.append(watch.run_job(execution_on(SHORT, 10**9), never)))
    job.start()
    time.sleep(0.5)

    helper = HelperThread("deadlines", watch.check, every=deadlines.TICK)
    helper.start()
    job.join(20)
    helper.stop()
    helper.join(20)

    assert [verdict.outcome for verdict in verdicts if verdict] == ["timed out"]


def test_connections_of_an_interrupted_job_are_dropped(ledger_db: None):
    def work() -> None:
        before = connections["default"]
        before.ensure_connection()
        raw = before.connection
        before.in_atomic_block = True  # as if the interruption had come in the middle of a transaction's end

        interrupts.drop_connections()

        assert raw.closed
        assert not connections["default"].in_atomic_block
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
        connections.close_all()

    assert in_threads(work, 1) == []


def test_interrupted_job_leaves_no_connection_to_the_next(ledger_db: None, watch: Deadlines):
    def work() -> None:
        before = connections["default"]
        before.ensure_connection()
        raw = before.connection

        verdict = watch.run_job(execution_on(SHORT, 10**9), never)

        assert verdict is not None
        assert verdict.outcome == "timed out"
        assert raw.closed
        assert connections["default"] is not before

    assert in_threads(work, 1) == []


def failing_after(deadline: BaseException) -> BaseException:
    """What a job raises while it cleans up after its interruption."""
    try:
        try:
            raise deadline
        finally:
            raise ValueError("the connection is closed")
    except ValueError as error:
        return error


def test_error_in_the_wake_of_the_deadline_counts_as_timed_out():
    verdict = judge.judge(execution_on("order", 1), failing_after(DeadlineExceeded()))

    assert (verdict.state, verdict.outcome, verdict.error) == ("waiting", "timed out", "timed out after 60 s")
    assert "ValueError: the connection is closed" in verdict.traceback


def test_error_without_a_deadline_behind_it_is_the_jobs_own():
    verdict = judge.judge(execution_on("order", 1), failing_after(KeyError("another")))

    assert (verdict.state, verdict.outcome) == ("waiting", "retry")


def test_connections_of_a_thread_are_those_it_has_after_an_interrupt():
    found: list[Any] = []

    def collect() -> None:
        found.extend([interrupts.connections_here(), interrupts.connections_here()])
        for wrapper in connections.all():
            del connections[wrapper.alias]
        interrupts.drop_connections()
        found.extend([interrupts.connections_here(), list(connections.all())])

    thread = threading.Thread(target=collect)
    thread.start()
    thread.join()

    first, again, after, real = found
    assert first is again
    assert after == real != first
