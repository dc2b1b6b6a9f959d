"""What a job's function returns is kept when it completes, if it is JSON of a moderate size."""

import logging
from typing import Any

import pytest

from queues import JobDefinition
from queues.ledger import outbox
from queues.lifecycle.verdict import Verdict
from queues.models import Attempt, Job
from queues.ops import actions
from queues.states import JobState, Outcome
from queues.testing import drain, run_next
from tests.jobapp.jobs import record
from tests.jobapp.reporting import give, give_in_child
from tests.processes import Processes
from tests.queues.claims import claim_for, claim_offers, rescue_from, write_verdict
from tests.queues.facts import wait_for_state
from tests.queues.ops.test_admin import JOBS, staff

pytestmark = pytest.mark.usefixtures("ledger_db")


@pytest.mark.parametrize("value", [{"page": "नमस्ते", "n": [1, 2.5, None]}, [], "", 0, False, "x" * 7_998])
def test_json_is_kept(value: Any):
    handle = give.enqueue(value=value)

    drain()

    kept = handle.return_value
    assert (kept, type(kept)) == (value, type(value))
    assert Attempt.objects.get().log == ""


@pytest.mark.parametrize("definition", [give, give_in_child])
def test_result_of_a_job_in_a_worker_is_kept(processes: Processes, definition: JobDefinition):
    processes.manage("rqworker", "order")
    handle = definition.enqueue(value={"invoice": 42})

    wait_for_state(handle.id, "completed")

    assert handle.return_value == {"invoice": 42}


def test_nothing_returned_is_null():
    handle = record.enqueue(label="a")

    drain()

    assert (handle.status, handle.return_value) == ("completed", None)
    assert Job.objects.filter(result__isnull=True).count() == 1  # and no null of JSON


def nested() -> list[Any]:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


class Quarrelsome(dict[str, Any]):
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compare yourself")


REFUSED = [
    ({1, 2}, "expected JSON, got set"),
    ((1, 2), "expected JSON, got tuple"),
    (float("nan"), "expected JSON, got float"),
    ("a\x00b", "expected JSON, got str"),
    ("x" * 7_999, "it has 8001 characters, more than 8000"),
    (nested(), "expected JSON, got list (RecursionError)"),
    (Quarrelsome(), "expected JSON, got Quarrelsome (RuntimeError)"),
]


@pytest.mark.parametrize(("value", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_what_cannot_be_kept_leaves_the_job_completed_and_is_logged(define, caplog, value: Any, why: str):
    handle = define(lambda: value).enqueue()

    with caplog.at_level(logging.WARNING, logger="queues.execution.runner"):
        drain()

    assert (handle.status, handle.return_value) == ("completed", None)
    assert Attempt.objects.get().log == f"its result is not kept: {why}"
    assert caplog.messages == [f"the result of jobapp.defined_here #{handle.id} is not kept: {why}"]


def test_result_of_a_child_that_is_not_kept_is_in_its_log(processes: Processes):
    handle = give.using(queue_name="reports").enqueue(value=None, how="set")
    processes.manage("rqworker", "reports")

    job = wait_for_state(handle.id, "completed")

    assert (job.result, job.attempts.get().log) == (None, "its result is not kept: expected JSON, got set")


def test_result_of_a_job_that_completes_though_it_was_asked_to_stop_is_kept():
    claim = claim_for(None, record, label="a")
    actions.cancel_jobs([claim.id], actor="asha")

    write_verdict(claim, Verdict(JobState.COMPLETED, Outcome.COMPLETED, result=7))

    assert Job.objects.get().result == 7


def test_retry_and_new_run_clear_the_result():
    handle = record.enqueue(label="a")
    Job.objects.update(result={"of": "an earlier run"}, state=JobState.WAITING)
    (claim,) = claim_offers(outbox.offer_due("order", 1), None)
    assert handle.return_value is None

    write_verdict(claim, Verdict(JobState.CANCELLED, Outcome.CANCELLED))
    Job.objects.update(result={"of": "an earlier run"})
    actions.retry_jobs([handle.id], actor="asha")

    assert handle.return_value is None


def test_zombies_result_is_not_kept():
    claim = claim_for(7, give, value=1)
    rescue_from(7, "w")

    assert write_verdict(claim, Verdict(JobState.COMPLETED, Outcome.COMPLETED, result=1)) is False
    assert Job.objects.get().result is None
    assert run_next() is not None
    assert Job.objects.get().result == 1


def test_admin_shows_the_result(db):
    job_id = give.enqueue(value={"invoice": "<42>"}).id
    drain()

    page = staff("view_job").get(f"{JOBS}{job_id}/change/").content.decode()

    assert "&quot;invoice&quot;: &quot;&lt;42&gt;&quot;" in page
