"""The reporter: the reports of running jobs are written in one statement, where their tokens are valid."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from queues import JobDefinition
from queues.ledger import outbox
from queues.lifecycle.execution import Execution
from queues.lifecycle.verdict import released
from queues.models import Attempt, Job
from queues.testing import drain
from queues.worker.held import Held
from queues.worker.reporter import Reporter
from queues.worker.signal_sender import SignalSender
from tests.jobapp.jobs import compute, record
from tests.jobapp.reporting import report_all_the_time
from tests.processes import Processes, wait_for
from tests.queues.claims import claim_for, claim_offers, execution_of, write_verdict
from tests.queues.execution.test_progress import written
from tests.queues.facts import wait_for_state
from tests.queues.ops.test_admin import JOBS, staff

pytestmark = pytest.mark.usefixtures("ledger_db")


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def reporter(held: Held) -> Reporter:
    return Reporter(held, SignalSender())


def running(held: Held, definition: JobDefinition, **args: Any) -> Execution:
    """A job that this process runs, as its reporter sees it."""
    execution = execution_of(claim_for(None, definition, **args))
    held.begin([execution])
    return execution


def test_reporter_writes_all_changes_in_one_statement_and_nothing_when_nothing_changed(held: Held, reporter: Reporter):
    # given three running jobs of which two have something new to report
    jobs = [running(held, record, label=str(n)) for n in range(3)]
    jobs[0].set_progress(10, "a")
    jobs[2].set_progress(30, "c")

    # when the reporter reports twice
    with CaptureQueriesContext(connection) as first:
        reporter.report()
    with CaptureQueriesContext(connection) as second:
        reporter.report()

    # then it has written once, and asked each time who should stop
    assert [query["sql"].split()[0] for query in first] == ["SELECT", "UPDATE"]
    assert [query["sql"].split()[0] for query in second] == ["SELECT"]
    assert list(Job.objects.order_by("pk").values_list("progress", "progress_note")) == [
        (10, "a"),
        (None, ""),
        (30, "c"),
    ]


def test_reporter_asks_nothing_when_nothing_runs(reporter: Reporter):
    with CaptureQueriesContext(connection) as queries:
        reporter.report()

    assert len(queries) == 0


def test_reporter_waits_for_no_lock_and_writes_later(held: Held, reporter: Reporter, second_connection: Any):
    # given a running job whose row is in another's hands
    one = running(held, record, label="a")
    one.set_progress(10)
    with second_connection.cursor() as cursor:
        cursor.execute("BEGIN; SELECT 1 FROM queues_job FOR UPDATE")

        # when the reporter reports, then it goes on without it
        reporter.report()
        cursor.execute("ROLLBACK")
    assert written() == (None, "")

    # and writes it when the row is free
    reporter.report()
    assert written() == (10, "")


@pytest.fixture
def second_connection():
    other = connection.copy()
    yield other
    other.close()


def test_zombie_writes_no_progress_and_is_asked_to_stop(held: Held, reporter: Reporter):
    # given a job that was taken from this process and runs elsewhere
    zombie = running(held, record, label="a")
    write_verdict(zombie.claim, released("late"))
    claim_offers(outbox.offer_due("order", 1), None)

    # when the zombie has something to report
    zombie.set_progress(99, "from the grave")
    reporter.report()

    # then it is not written, and the job is asked to stop
    assert written() == (None, "")
    assert zombie.stop_asked
    assert write_verdict(zombie.claim, released("too late")) is False
    assert written() == (None, "")


def test_child_that_reports_all_the_time_is_killed_at_its_deadline_and_its_last_report_is_kept(
    processes: Processes,
):
    # given a worker whose fork server runs
    processes.manage("rqworker", "order", ORDER_TIMEOUT="5")
    wait_for_state(compute.enqueue(label="first").id, "completed")

    # when a job in a child process reports again and again, for much longer than its time-out
    handle = report_all_the_time.enqueue()

    # then that gives it no more time, and its last report is there
    attempt = wait_for(lambda: Attempt.objects.filter(job_id=handle.id).first())
    assert attempt.error == "timed out after 5 s"
    assert "INFO shop.reporting: again" in attempt.log
    assert handle.progress is not None


def test_admin_shows_a_bar_while_a_job_runs_and_where_it_ended(db, held: Held):
    # given a job that runs and one that is done, both at 40 %
    active = running(held, record, label="a").claim.id
    done = record.enqueue(label="b").id
    drain()
    Job.objects.update(progress=40, progress_note="<rendering>")
    client = staff("view_job")

    # when the list and their pages are opened
    bar = '<progress max="100" value="40" style="width:6em"></progress> 40 % &lt;rendering&gt;'
    pages = [client.get(f"{JOBS}{path}").content.decode() for path in ("", f"{active}/change/", f"{done}/change/")]

    # then the list shows it of the running one
    assert [bar in page for page in pages] == [True, True, True]
    assert pages[0].count("<progress") == 1
