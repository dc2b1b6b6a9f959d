"""Transactions that PostgreSQL ends because of a deadlock or a conflict are run again, and cost nobody anything."""

import contextlib
import threading
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from queues.models import Job
from queues.postgres.conflicts import TIMES, again_on_conflict, is_conflict
from queues.testing import drain
from tests.jobapp.models import Gate
from tests.processes import wait_for

LOCK = "SELECT name FROM jobapp_gate WHERE name = %s FOR UPDATE"


@pytest.fixture
def gates(ledger_db: None) -> None:
    Gate.objects.bulk_create([Gate(name="a"), Gate(name="b")])


def lock(gate: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [gate])


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid')")
        return bool(cursor.fetchone()[0])


class Rival(threading.Thread):
    """Locks gate b, then gate a as soon as somebody else has that one and waits for b: a deadlock."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.has_b, self.may_go_on = threading.Event(), threading.Event()
        self.survived = False

    def run(self) -> None:
        with (
            contextlib.closing(connection),
            contextlib.suppress(OperationalError),
        ):  # PostgreSQL chooses whom to give up
            with transaction.atomic():
                lock("b")
                self.has_b.set()
                assert self.may_go_on.wait(10)
                wait_for(somebody_waits)
                lock("a")
            self.survived = True


def meet(rival: Rival, tries: list[int]) -> None:
    """Lock a, then b; the first time the rival stands in the way."""
    tries.append(len(tries) + 1)
    with transaction.atomic():
        lock("a")
        rival.may_go_on.set()
        lock("b")


def test_job_that_meets_a_deadlock_runs_again_within_its_attempt(gates: None, define: Any):
    for _ in range(5):  # until the job's is the one that PostgreSQL ends; mostly the first time
        # given a rival that holds what the job will want second
        rival, tries = Rival(), list[int]()
        rival.start()
        assert rival.has_b.wait(10)

        # when the job deadlocks with it
        job = define(partial(meet, rival, tries))
        job_id = job.enqueue().id
        drain()
        rival.join(10)
        if rival.survived:
            break

    # then both come to their ends, and the job has spent one attempt
    assert rival.survived
    assert tries == [1, 2]
    assert Job.objects.values_list("state", "attempt", "error").get(pk=job_id) == ("completed", 1, "")


def test_serialization_failure_is_run_again(ledger_db: None):
    Gate.objects.create(name="a")
    tries = list[int]()

    @again_on_conflict
    def rename() -> None:
        """Read and write in one snapshot; the first time somebody writes in between."""
        tries.append(1)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT count(*) FROM jobapp_gate")
            if len(tries) == 1:
                elsewhere("UPDATE jobapp_gate SET name = 'b'")
            cursor.execute("UPDATE jobapp_gate SET name = name || '!'")

    rename()

    assert len(tries) == 2
    assert Gate.objects.get().name == "b!"


def elsewhere(statement: str) -> None:
    def run() -> None:
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(statement)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)


def test_conflict_that_does_not_end_is_raised_after_some_tries(ledger_db: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("queues.postgres.conflicts.LONGEST_FIRST_PAUSE", 0.001)
    tries = list[int]()

    @again_on_conflict
    def fail() -> None:
        tries.append(1)
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = '40001'; END $$")

    with pytest.raises(OperationalError, match="in the way"):
        fail()
    assert len(tries) == TIMES


@pytest.mark.django_db
def test_inside_a_callers_transaction_nothing_is_run_again():
    tries = list[int]()

    @again_on_conflict
    def fail() -> None:
        tries.append(1)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = '40P01'; END $$")

    with pytest.raises(OperationalError):
        fail()
    assert len(tries) == 1


def test_other_errors_of_postgresql_are_no_conflicts(ledger_db: None):
    with pytest.raises(OperationalError) as caught, connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '10ms'; SELECT pg_sleep(5)")

    assert not is_conflict(caught.value)
