"""How far a job is: reported without traffic, written by the reporter and with the verdict if its token is valid."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from queues import JobDefinition, job, ledger, progress
from queues.models import Job
from queues.testing import drain, make_due, run_next
from tests.jobapp.jobs import fail
from tests.jobapp.reporting import report_in_child, report_in_thread
from tests.processes import Processes, wait_for
from tests.queues.facts import open_gate, wait_for_state

pytestmark = pytest.mark.usefixtures("ledger_db")


def written() -> tuple[int | None, str]:
    return Job.objects.values_list("progress", "progress_note").get()


@pytest.mark.parametrize("definition", [report_in_thread, report_in_child])
def test_progress_of_a_running_job_is_in_the_ledger_and_the_last_one_with_its_verdict(
    processes: Processes, definition: JobDefinition
):
    # given a job that runs in a worker
    processes.manage("rqworker", "order")
    handle = definition.enqueue(percents=[20, 60], note="rendering")

    # then one sees how far it is while it runs, and where it ended
    wait_for(lambda: written() == (20, "rendering"))
    open_gate("g-20")
    wait_for(lambda: written() == (60, "rendering"))
    assert handle.status == "active"
    open_gate("g-60")
    wait_for_state(handle.id, "completed")
    assert (written(), handle.progress) == ((60, "rendering"), 60)


def test_last_progress_of_a_quick_job_is_written_with_its_verdict(define):
    def quick() -> None:
        for percent in range(101):
            progress(percent, f"page {percent}")

    define(quick).enqueue()

    drain()

    assert written() == (100, "page 100")


def test_last_progress_of_a_failed_attempt_stays_until_the_next_begins(define):
    seen: list[Any] = []

    def half_way() -> None:
        seen.append(written())
        progress(50.9, "half")
        raise ValueError("no luck")

    define(half_way).enqueue()

    run_next(raises=False)
    between = written()
    make_due()
    run_next(raises=False)

    assert (seen, between) == ([(None, ""), (None, "")], (50, "half"))


def test_operators_retry_clears_the_progress():
    handle = fail.enqueue(label="a", how="cancel")
    run_next(raises=False)
    Job.objects.update(progress=70, progress_note="nearly")

    ledger.retry([handle.id])

    assert written() == (None, "")


def test_reporting_costs_no_traffic_and_is_safe_in_a_broken_transaction(define):
    statements: list[int] = []

    def report_often() -> None:
        with CaptureQueriesContext(connection) as queries:
            for _ in range(1000):
                progress(1, "in a loop")
                job.cancelled()
        statements.append(len(queries))
        with transaction.atomic():
            transaction.set_rollback(True)
            progress(2, "in a transaction that is rolled back")

    define(report_often).enqueue()

    drain()

    assert statements == [0]
    assert written() == (2, "in a transaction that is rolled back")


@pytest.mark.parametrize("percent", [-1, 100.5, float("nan"), True, "50", None])
def test_what_is_no_percentage_is_refused(define, percent: Any):
    refused: list[str] = []

    def wrong() -> None:
        progress(10, "well")
        with pytest.raises(ValueError, match="takes a percentage from 0 to 100, got") as caught:
            progress(percent)
        refused.append(str(caught.value))

    define(wrong).enqueue()

    drain()

    assert refused == [f"progress() takes a percentage from 0 to 100, got {percent!r}"]
    assert written() == (10, "well")


@pytest.mark.parametrize("note", ["x" * 201, "a\x00b", "\ud800", 5])
def test_what_is_no_note_is_refused(define, note: Any):
    def wrong() -> None:
        with pytest.raises(ValueError, match="takes a note of at most 200 characters without NUL"):
            progress(10, note)
        progress(20, "x" * 200)

    define(wrong).enqueue()

    drain()

    assert written() == (20, "x" * 200)


def test_outside_a_running_job_nothing_can_be_reported():
    with pytest.raises(RuntimeError, match=r"progress\(\) can be called only in a running job"):
        progress(1)
    with pytest.raises(RuntimeError, match=r"job.cancelled\(\) can be called only in a running job"):
        job.cancelled()
