"""Signals: what happens to a job is sent once, after the commit; a listener that fails hurts nothing."""

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
from queues.worker.reporter import Reporter
from queues.worker.signal_sender import SignalSender
from tests.jobapp.jobs import fail, react_later, record, something_happened, something_was_undone
from tests.jobapp.reporting import give
from tests.queues.claims import claim_for, execution_of, new_worker, rescue_from, write_verdict

pytestmark = pytest.mark.usefixtures("ledger_db")

NAMES = [name for name in vars(signals) if name.startswith("job_")]
Sent = list[tuple[str, str, dict[str, Any]]]


@pytest.fixture
def sent() -> Iterator[Sent]:
    """What is sent to a listener to all signals: signal, sender, payload."""
    signals_sent: Sent = []

    def listen(name: str) -> Any:
        def receive(signal: object, sender: str, **payload: Any) -> None:
            signals_sent.append((name, sender, payload))

        return receive

    listeners = {name: listen(name) for name in NAMES}
    for name, receive in listeners.items():
        getattr(signals, name).connect(receive)
    yield signals_sent
    for name, receive in listeners.items():
        assert getattr(signals, name).disconnect(receive)


def names(sent: Sent) -> list[str]:
    return [name for name, _, _ in sent]


def about(job_id: int, attempt: int, **more: Any) -> dict[str, Any]:
    return {"job_id": job_id, "queue": "order", "subject": "", "key": None, "attempt": attempt, **more}


def test_life_of_a_job_is_sent(sent: Sent):
    job_id = give.using(key="k", subject="order-42").enqueue(value=[7]).id

    drain()

    payload = {"job_id": job_id, "queue": "order", "subject": "order-42", "key": "k"}
    assert sent == [
        ("job_enqueued", "jobapp.give", {**payload, "attempt": 0}),
        ("job_started", "jobapp.give", {**payload, "attempt": 1}),
        ("job_completed", "jobapp.give", {**payload, "attempt": 1, "result": [7]}),
    ]


def test_last_progress_is_sent_before_the_verdict(sent: Sent, define):
    job_id = define(lambda: progress(80, "nearly")).enqueue().id

    drain()

    assert names(sent) == ["job_enqueued", "job_started", "job_progressed", "job_completed"]
    assert sent[2][2] == about(job_id, 1, progress=80, note="nearly")


def test_progress_that_the_reporter_wrote_is_sent_once(sent: Sent):
    # given a running job that has reported something
    held, signal_sender = Held(), SignalSender()
    execution = execution_of(claim_for(None, record, label="a"))
    held.begin([execution])
    execution.set_progress(10, "so far")
    sent.clear()

    # when the reporter writes it, and nothing new comes before the verdict
    reporter = Reporter(held, signal_sender)
    reporter.report()
    reporter.report()
    signal_sender.send()
    write_verdict(execution, Verdict(JobState.COMPLETED, Outcome.COMPLETED))

    # then the progress was sent once
    assert names(sent) == ["job_progressed", "job_completed"]
    assert sent[0][2] == about(execution.claim.id, 1, progress=10, note="so far")


FATES: list[tuple[str, str, dict[str, Any]]] = [
    ("error", "job_retried", {"error": "ValueError: no luck"}),
    ("retry", "job_retried", {"error": "Retry: later", "wait": 120.0}),
    ("permanent", "job_failed", {"error": "Permanent: never"}),
    ("cancel", "job_cancelled", {"reason": "Cancel: not needed"}),
]


@pytest.mark.parametrize(("how", "signal", "more"), FATES, ids=[how for how, _, _ in FATES])
def test_end_of_an_attempt_is_sent(sent: Sent, how: str, signal: str, more: dict[str, Any]):
    job_id = fail.enqueue(label="a", how=how).id
    sent.clear()

    run_next(raises=False)

    ((name, sender, payload),) = [each for each in sent if each[0] not in ("job_started", "job_enqueued")]
    assert (name, sender, payload | more) == (signal, "jobapp.fail", payload)
    assert payload.items() >= about(job_id, 1).items()


def test_crash_that_is_tried_again_is_sent_as_a_retry(sent: Sent):
    claim = claim_for(None, record, label="a")
    sent.clear()

    write_verdict(claim, judge_crash(execution_of(claim), "was killed by SIGKILL"))

    assert names(sent) == ["job_retried"]
    assert sent[0][2]["error"] == "its process was killed by SIGKILL"


def test_snoozed_and_released_jobs_send_no_signal(sent: Sent):
    claim = claim_for(None, record, label="b")
    sent.clear()
    write_verdict(claim, released("the worker stopped"))
    assert sent == []

    fail.enqueue(label="a", how="snooze")
    drain(raises=False)

    assert sorted(names(sent)) == ["job_completed", "job_enqueued", "job_started", "job_started"]


def test_job_that_was_asked_to_stop_is_sent_as_cancelled_and_not_as_failed(sent: Sent):
    claim = claim_for(None, fail, label="a")
    actions.cancel_jobs([claim.id], actor="asha")
    sent.clear()

    write_verdict(claim, Verdict(JobState.FAILED, Outcome.FAILED, error="ValueError: no luck"))

    assert sent == [("job_cancelled", "jobapp.fail", about(claim.id, 1, reason="ValueError: no luck"))]


@pytest.mark.parametrize("verdict", [(JobState.COMPLETED, Outcome.COMPLETED), (JobState.WAITING, Outcome.RETRY)])
def test_zombies_verdict_sends_no_signal(sent: Sent, verdict: tuple[JobState, Outcome]):
    claim = claim_for(7, record, label="a")
    rescue_from(7, "w")
    sent.clear()

    write_verdict(claim, Verdict(*verdict))

    assert sent == []


def test_rescued_job_is_sent_and_one_that_was_asked_to_stop_is_sent_as_cancelled(sent: Sent):
    worker = new_worker()
    rescued, cancelled = claim_for(worker, record, label="a"), claim_for(worker, fail, label="b")
    actions.cancel_jobs([cancelled.id], actor="asha")
    sent.clear()

    rescue_from(worker, "w")

    assert sent == [
        ("job_rescued", "jobapp.record", about(rescued.id, 1, error="worker w died")),
        ("job_cancelled", "jobapp.fail", about(cancelled.id, 1, reason="worker w died")),
    ]


def test_withdrawn_and_cancelled_jobs_are_sent_with_the_reason(sent: Sent):
    with transaction.atomic():
        something_happened.emit(label="x", number=1)
    by_hand = record.enqueue(label="a").id
    sent.clear()

    with transaction.atomic():
        something_was_undone.emit(label="x")
    actions.cancel_jobs([by_hand], actor="asha")

    assert [(name, sender, payload["key"], payload["reason"]) for name, sender, payload in sent] == [
        ("job_cancelled", react_later.name, "undo-x", "withdrawn by something_was_undone"),
        ("job_cancelled", record.name, None, "cancelled by asha"),
    ]


def test_operators_retry_is_sent_as_enqueued_with_the_attempts_spent(sent: Sent):
    job_id = fail.enqueue(label="a", how="permanent").id
    run_next(raises=False)
    sent.clear()

    actions.retry_jobs([job_id], actor="asha")

    assert sent == [("job_enqueued", "jobapp.fail", about(job_id, 1))]


def test_job_under_a_live_key_is_not_enqueued_twice(sent: Sent):
    for _ in range(2):
        record.using(key="k").enqueue(label="a")

    assert names(sent) == ["job_enqueued"]


def test_what_is_rolled_back_sends_no_signal_and_what_commits_sends_it_after_the_commit(sent: Sent):
    kept = record.enqueue(label="kept").id
    sent.clear()

    with transaction.atomic():
        record.enqueue(label="a")
        actions.cancel_jobs([kept], actor="asha")
        transaction.set_rollback(True)
    assert sent == []

    with transaction.atomic():
        record.enqueue(label="b")
        assert sent == []
    assert names(sent) == ["job_enqueued"]


def test_failed_job_is_sent_after_its_commit(sent: Sent):
    in_transaction: list[bool] = []

    @receiver(signals.job_failed)
    def receive(**_: Any) -> None:
        in_transaction.append(connection.in_atomic_block)

    fail.enqueue(label="a", how="permanent")
    run_next(raises=False)

    assert in_transaction == [False]
