"""Events: one statement writes every reaction, in the transaction of whoever emits the event."""

import pytest
from django.db import transaction

from queues import Event, job
from queues.definitions import registry
from queues.models import Job, Outbox
from queues.testing import drain, run_next
from tests.jobapp.jobs import enqueue_another, fail, record, something_happened, something_was_undone
from tests.queues.claims import claim_offers

pytestmark = pytest.mark.usefixtures("ledger_db")


@pytest.fixture
def ten_reactions():
    event = Event("ten_reactions_follow", "label")
    definitions = []
    for number in range(10):

        def react(label: str) -> None: ...

        definitions.append(job(queue="order", name=f"jobapp.reaction{number}", on=event)(react))
    yield event
    for definition in definitions:
        registry.forget(definition.name)


def test_each_reaction_gets_the_arguments_that_it_names():
    with transaction.atomic():
        something_happened.emit(label="a", number=3)

    assert dict(Job.objects.values_list("name", "args")) == {
        "jobapp.react": {"label": "a"},
        "jobapp.react_later": {"label": "a", "number": 3},
    }


def test_event_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match=r"^something_happened.emit\(\) needs a transaction"):
        something_happened.emit(label="a", number=3)

    assert not Job.objects.exists()


def test_rolled_back_event_leaves_nothing():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        something_happened.emit(label="a", number=3)
        1 / 0  # noqa: B018

    assert not Job.objects.exists()
    assert not Outbox.objects.exists()


def test_ten_reactions_are_one_statement(ten_reactions: Event, django_assert_num_queries):
    with transaction.atomic(), django_assert_num_queries(1):
        ten_reactions.emit(label="a")

    assert Job.objects.count() == Outbox.objects.count() == 10


def test_event_withdraws_a_keyed_job_in_the_same_transaction():
    with transaction.atomic():
        something_happened.emit(label="a", number=1)
        something_happened.emit(label="b", number=2)

    with transaction.atomic():
        something_was_undone.emit(label="a")

    states = Job.objects.filter(name="jobapp.react_later").values_list("key", "state")
    assert dict(states) == {"undo-a": "cancelled", "undo-b": "waiting"}
    assert Job.objects.get(key="undo-a").error == "withdrawn by something_was_undone"


def test_rolled_back_withdrawal_leaves_the_job_waiting():
    with transaction.atomic():
        something_happened.emit(label="a", number=1)

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        something_was_undone.emit(label="a")
        1 / 0  # noqa: B018

    assert Job.objects.get(key="undo-a").state == "waiting"
    assert not Outbox.objects.filter(withdrawn=True).exists()


def test_subject_of_the_event_is_on_every_reaction():
    with transaction.atomic():
        something_happened.emit(label="a", number=1)

    assert set(Job.objects.values_list("subject", flat=True)) == {"thing-a"}


def test_job_inherits_the_subject_of_the_job_that_enqueued_it():
    enqueue_another.using(subject="order-7").enqueue(label="a")

    drain()

    assert dict(Job.objects.values_list("name", "subject")) == {
        "jobapp.enqueue_another": "order-7",
        "jobapp.record": "order-7",
    }


def test_job_enqueued_outside_of_jobs_has_no_subject():
    record.enqueue(label="a")

    assert Job.objects.get().subject == ""


def test_last_resort_runs_with_its_subject_when_a_job_is_given_up():
    fail.using(subject="order-7").enqueue(label="a", how="permanent")

    run_next(raises=False)

    last = Job.objects.get(name="jobapp.last_resort")
    assert (last.args, last.subject, last.state) == ({"label": "a"}, "order-7", "waiting")


@pytest.mark.parametrize("how", ["error", "cancel", "snooze", "retry"])
def test_last_resort_does_not_run_before_a_job_is_given_up(how: str):
    fail.enqueue(label="a", how=how)

    run_next(raises=False)

    assert not Job.objects.filter(name="jobapp.last_resort").exists()


def test_name_that_is_not_registered_is_never_claimed():
    record.enqueue(label="a")
    Job.objects.update(name="os.system")

    assert run_next() is None
    assert claim_offers([], None) == []
    assert Job.objects.get().state == "waiting"


def test_two_modules_cannot_register_one_name():
    def record(label: str) -> None: ...

    with pytest.raises(ValueError, match=r"two jobs are named 'jobapp\.record'"):
        job(queue="order", name="jobapp.record")(record)
