"""Signals: every fate of a job is told once, after the commit, to those who listen; nobody is hurt by a listener."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.dispatch import receiver

from queues import progress, signals
from queues.execution.judge import judge_crash
from queues.lifecycle.verdict import Verdict, released
from queues.ops import actions
from queues.states import JobState, Outcome
from queues.testing import drain, run_next
from queues.worker.held import Held
from queues.worker.listeners import Listeners
from queues.worker.reporter import Reporter
from tests.jobapp.jobs import fail, react_later, record, something_happened, something_was_undone
from tests.jobapp.saying import give
from tests.queues.claims import claim_for, execution_of, new_worker, rescue_from, write_verdict

pytestmark = pytest.mark.usefixtures("ledger_db")

NAMES = [name for name in vars(signals) if name.startswith("job_")]
Heard = list[tuple[str, str, dict[str, Any]]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """What a listener to all signals hears: signal, sender, payload."""
    told: Heard = []

    def listen(name: str) -> Any:
        def hear(signal: object, sender: str, **payload: Any) -> None:
            told.append((name, sender, payload))

        return hear

    listeners = {name: listen(name) for name in NAMES}
    for name, hear in listeners.items():
        getattr(signals, name).connect(hear)
    yield told
    for name, hear in listeners.items():
        assert getattr(signals, name).disconnect(hear)


def names(heard: Heard) -> list[str]:
    return [name for name, _, _ in heard]


def about(job_id: int, attempt: int, **more: Any) -> dict[str, Any]:
    return {"job_id": job_id, "queue": "order", "subject": "", "key": None, "attempt": attempt, **more}


def test_life_of_a_job_is_told(heard: Heard):
    job_id = give.using(key="k", subject="order-42").enqueue(value=[7]).id

    drain()

    payload = {"job_id": job_id, "queue": "order", "subject": "order-42", "key": "k"}
    assert heard == [
        ("job_enqueued", "jobapp.give", {**payload, "attempt": 0}),
        ("job_started", "jobapp.give", {**payload, "attempt": 1}),
        ("job_completed", "jobapp.give", {**payload, "attempt": 1, "result": [7]}),
    ]


def test_last_progress_is_told_before_the_verdict(heard: Heard, define):
    job_id = define(lambda: progress(80, "nearly")).enqueue().id

    drain()

    assert names(heard) == ["job_enqueued", "job_started", "job_progressed", "job_completed"]
    assert heard[2][2] == about(job_id, 1, progress=80, note="nearly")


def test_progress_that_the_reporter_wrote_is_sent_once(heard: Heard):
    # given a running job that has reported something
    held, listeners = Held(), Listeners()
    execution = execution_of(claim_for(None, record, label="a"))
    held.begin([execution])
    execution.set_progress(10, "so far")
    heard.clear()

    # when the reporter writes it, and nothing new comes before the verdict
    reporter = Reporter(held, listeners)
    reporter.report()
    reporter.report()
    listeners.send()
    write_verdict(execution, Verdict(JobState.COMPLETED, Outcome.COMPLETED))

    # then the progress was sent once
    assert names(heard) == ["job_progressed", "job_completed"]
    assert heard[0][2] == about(execution.claim.id, 1, progress=10, note="so far")


FATES: list[tuple[str, str, dict[str, Any]]] = [
    ("error", "job_retried", {"error": "ValueError: no luck"}),
    ("retry", "job_retried", {"error": "Retry: later", "wait": 120.0}),
    ("permanent", "job_failed", {"error": "Permanent: never"}),
    ("cancel", "job_cancelled", {"reason": "Cancel: not needed"}),
]


@pytest.mark.parametrize(("how", "signal", "more"), FATES, ids=[how for how, _, _ in FATES])
def test_end_of_an_attempt_is_told(heard: Heard, how: str, signal: str, more: dict[str, Any]):
    job_id = fail.enqueue(label="a", how=how).id
    heard.clear()

    run_next(raises=False)

    ((told, sender, payload),) = [each for each in heard if each[0] not in ("job_started", "job_enqueued")]
    assert (told, sender, payload | more) == (signal, "jobapp.fail", payload)
    assert payload.items() >= about(job_id, 1).items()


def test_crash_that_is_tried_again_is_told_as_a_retry(heard: Heard):
    claim = claim_for(None, record, label="a")
    heard.clear()

    write_verdict(claim, judge_crash(execution_of(claim), "was killed by SIGKILL"))

    assert names(heard) == ["job_retried"]
    assert heard[0][2]["error"] == "its process was killed by SIGKILL"


def test_snoozed_and_released_jobs_send_no_signal(heard: Heard):
    claim = claim_for(None, record, label="b")
    heard.clear()
    write_verdict(claim, released("the worker stopped"))
    assert heard == []

    fail.enqueue(label="a", how="snooze")
    drain(raises=False)

    assert sorted(names(heard)) == ["job_completed", "job_enqueued", "job_started", "job_started"]


def test_job_that_was_asked_to_stop_is_told_as_cancelled_and_not_as_failed(heard: Heard):
    claim = claim_for(None, fail, label="a")
    actions.cancel_jobs([claim.id], actor="asha")
    heard.clear()

    write_verdict(claim, Verdict(JobState.FAILED, Outcome.FAILED, error="ValueError: no luck"))

    assert heard == [("job_cancelled", "jobapp.fail", about(claim.id, 1, reason="ValueError: no luck"))]


@pytest.mark.parametrize("verdict", [(JobState.COMPLETED, Outcome.COMPLETED), (JobState.WAITING, Outcome.RETRY)])
def test_zombies_verdict_is_not_told(heard: Heard, verdict: tuple[JobState, Outcome]):
    claim = claim_for(7, record, label="a")
    rescue_from(7, "w")
    heard.clear()

    write_verdict(claim, Verdict(*verdict))

    assert heard == []


def test_rescued_job_is_told_and_one_that_was_asked_to_stop_is_told_as_cancelled(heard: Heard):
    worker = new_worker()
    rescued, cancelled = claim_for(worker, record, label="a"), claim_for(worker, fail, label="b")
    actions.cancel_jobs([cancelled.id], actor="asha")
    heard.clear()

    rescue_from(worker, "w")

    assert heard == [
        ("job_rescued", "jobapp.record", about(rescued.id, 1, error="worker w died")),
        ("job_cancelled", "jobapp.fail", about(cancelled.id, 1, reason="worker w died")),
    ]


def test_withdrawn_and_cancelled_jobs_are_told_with_the_reason(heard: Heard):
    with transaction.atomic():
        something_happened.emit(label="x", number=1)
    by_hand = record.enqueue(label="a").id
    heard.clear()

    with transaction.atomic():
        something_was_undone.emit(label="x")
    actions.cancel_jobs([by_hand], actor="asha")

    assert [(name, sender, payload["key"], payload["reason"]) for name, sender, payload in heard] == [
        ("job_cancelled", react_later.name, "undo-x", "withdrawn by something_was_undone"),
        ("job_cancelled", record.name, None, "cancelled by asha"),
    ]


def test_operators_retry_is_told_as_enqueued_with_the_attempts_spent(heard: Heard):
    job_id = fail.enqueue(label="a", how="permanent").id
    run_next(raises=False)
    heard.clear()

    actions.retry_jobs([job_id], actor="asha")

    assert heard == [("job_enqueued", "jobapp.fail", about(job_id, 1))]


def test_job_under_a_live_key_is_not_enqueued_twice(heard: Heard):
    for _ in range(2):
        record.using(key="k").enqueue(label="a")

    assert names(heard) == ["job_enqueued"]


def test_what_is_rolled_back_is_not_told_and_what_commits_is_told_after_the_commit(heard: Heard):
    kept = record.enqueue(label="kept").id
    heard.clear()

    with transaction.atomic():
        record.enqueue(label="a")
        actions.cancel_jobs([kept], actor="asha")
        transaction.set_rollback(True)
    assert heard == []

    with transaction.atomic():
        record.enqueue(label="b")
        assert heard == []
    assert names(heard) == ["job_enqueued"]


def test_failed_job_is_told_after_its_commit(heard: Heard):
    in_transaction: list[bool] = []

    @receiver(signals.job_failed)
    def look(**_: Any) -> None:
        in_transaction.append(connection.in_atomic_block)

    fail.enqueue(label="a", how="permanent")
    run_next(raises=False)

    assert in_transaction == [False]
