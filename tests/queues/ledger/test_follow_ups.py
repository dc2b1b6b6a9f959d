"""What follows a job's end is written in the transaction that ends it, whatever ends it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from queues import ledger
from queues.definitions import registry
from queues.ledger import follow_ups
from queues.lifecycle.request import JobRequest
from queues.lifecycle.verdict import COMPLETED, Ended, Finished, Verdict
from queues.models import Job
from queues.states import JobState, Outcome
from tests.jobapp.jobs import record
from tests.queues.claims import claim_for, execution_of, new_worker, rescue_from, write_verdict

pytestmark = pytest.mark.django_db

FAILED = Verdict(JobState.FAILED, Outcome.FAILED, error="ValueError: no luck")
RETRY = Verdict(JobState.WAITING, Outcome.RETRY, error="ValueError: no luck")


@pytest.fixture
def ends() -> Iterator[list[tuple[str, str]]]:
    """Each end of a job called "watched", for which a job follows: its label and state."""
    seen: list[tuple[str, str]] = []

    def rule(ended: Ended) -> Sequence[JobRequest]:
        label = ended.args["label"]
        if not label.startswith("watched"):
            return ()
        seen.append((label, ended.state))
        return (record.request({"label": f"after {label} {ended.state}"}),)

    follow_ups.use(rule)
    yield seen
    follow_ups.use(registry.follow_ups)


def followers() -> set[str]:
    return {args["label"] for args in Job.objects.values_list("args", flat=True) if args["label"].startswith("after")}


@pytest.mark.usefixtures("ends")
@pytest.mark.parametrize(
    ("verdict", "state"), [(COMPLETED, "completed"), (FAILED, "failed"), (RETRY, None)], ids=lambda v: str(v)[:20]
)
def test_what_follows_a_verdict_follows_the_state_that_was_reached(verdict: Verdict, state: str | None):
    write_verdict(claim_for(None, record, label="watched"), verdict)

    assert followers() == ({f"after watched {state}"} if state else set())


@pytest.mark.usefixtures("ends")
@pytest.mark.parametrize("verdict", [FAILED, RETRY], ids=["failed", "retry"])
def test_job_that_was_asked_to_stop_is_followed_as_cancelled(verdict: Verdict):
    claim = claim_for(None, record, label="watched")
    ledger.ask_to_stop([claim.id])

    write_verdict(claim, verdict)

    assert followers() == {"after watched cancelled"}


@pytest.mark.usefixtures("ends")
def test_nothing_follows_the_verdict_of_a_zombie():
    claim = claim_for(7, record, label="watched")
    rescue_from(7, "w")

    assert write_verdict(claim, FAILED) is False

    assert followers() == set()


def withdraw_by_key() -> None:
    record.using(key="k").enqueue(label="watched")
    ledger.withdraw(["k"], reason="test")


def cancel_by_id() -> None:
    ledger.cancel([record.enqueue(label="watched").id], reason="test")


def rescue_one_that_was_asked_to_stop() -> None:
    worker = new_worker()
    ledger.ask_to_stop([claim_for(worker, record, label="watched").id])
    rescue_from(worker, "w")


def lose_the_claim_of_one_that_was_asked_to_stop() -> None:
    worker = new_worker()
    claim = claim_for(worker, record, label="watched")
    ledger.ask_to_stop([claim.id])
    ledger.release_unacknowledged([claim.token], worker, "w")


ENDS: list[Callable[[], None]] = [
    withdraw_by_key,
    cancel_by_id,
    rescue_one_that_was_asked_to_stop,
    lose_the_claim_of_one_that_was_asked_to_stop,
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_every_other_end_is_followed_too(ends: list[tuple[str, str]], end: Callable[[], None]):
    end()

    assert ends == [("watched", "cancelled")]
    assert followers() == {"after watched cancelled"}


@pytest.mark.usefixtures("ends")
def test_rescued_job_that_waits_again_is_not_followed():
    worker = new_worker()
    claim_for(worker, record, label="watched")

    rescue_from(worker, "w")

    assert followers() == set()


def refuse(*_: Any) -> None:
    raise DatabaseError("refused")


def end_by_verdict() -> tuple[int, Callable[[], object]]:
    claim = claim_for(None, record, label="watched")
    return claim.id, lambda: write_verdict(claim, FAILED)


def end_by_rescue() -> tuple[int, Callable[[], object]]:
    worker = new_worker()
    claim = claim_for(worker, record, label="watched")
    ledger.ask_to_stop([claim.id])
    return claim.id, lambda: rescue_from(worker, "w")


def end_by_withdrawal() -> tuple[int, Callable[[], object]]:
    job_id = record.using(key="k").enqueue(label="watched").id
    return job_id, lambda: ledger.withdraw(["k"], reason="test")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("ends")
@pytest.mark.parametrize(
    "prepare", [end_by_verdict, end_by_rescue, end_by_withdrawal], ids=["verdict", "rescue", "withdrawal"]
)
def test_job_does_not_end_without_what_follows(
    prepare: Callable[[], tuple[int, Callable[[], object]]], monkeypatch: pytest.MonkeyPatch
):
    # given a job whose follow-up cannot be written
    job_id, end = prepare()
    before = Job.objects.values().get(pk=job_id)
    monkeypatch.setattr(follow_ups, "enqueue", refuse)

    # when it is to end
    with pytest.raises(DatabaseError, match="refused"):
        end()

    # then it has not
    assert Job.objects.values().get(pk=job_id) == before
    assert followers() == set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("ends")
def test_verdicts_that_nothing_follows_stay_one_statement_and_others_have_one_transaction():
    plain = [Finished(execution_of(claim_for(None, record, label="plain")), COMPLETED) for _ in range(3)]
    watched = [Finished(execution_of(claim_for(None, record, label="watched")), COMPLETED)]

    with CaptureQueriesContext(connection) as alone:
        ledger.finish(plain)
    with CaptureQueriesContext(connection) as together:
        ledger.finish([*watched, *plain])

    first_words = [[query["sql"].split(maxsplit=1)[0] for query in queries] for queries in (alone, together)]
    assert first_words == [["WITH"], ["BEGIN", "WITH", "WITH", "COMMIT", "NOTIFY"]]
    assert followers() == {"after watched completed"}
