"""What the database itself guards: the history, the states, the amounts."""

import pytest
from django.db import Error, IntegrityError, transaction

from payments.models import Payment, PaymentEvent
from payments.states import SOURCES, PaymentState

from .factories import captured_payment, place, submitted_payment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("change", ["update", "delete"])
def test_events_cannot_be_changed_by_anybody(change: str):
    event = captured_payment(place()).events.get()
    events = PaymentEvent.objects.filter(pk=event.pk)

    with pytest.raises(Error, match="append-only"), transaction.atomic():
        events.update(amount_paise=1) if change == "update" else events.delete()

    assert PaymentEvent.objects.get().amount_paise == event.amount_paise


def test_same_fact_cannot_be_written_twice():
    event = captured_payment(place()).events.get()

    with pytest.raises(IntegrityError, match="dedupe_key"), transaction.atomic():
        PaymentEvent.objects.create(payment=event.payment, kind="captured", dedupe_key=event.dedupe_key)


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"state": "perhaps"}, "payment_state_known"),
        ({"amount_paise": 0}, "payment_amount_positive"),
        ({"captured_paise": 1}, "payment_captured_has_amount"),
        ({"state": "captured"}, "payment_captured_has_amount"),
        ({"refunded_paise": 1}, "payment_refunded_within_captured"),
        ({"refunded_paise": -1}, "payment_refunded_within_captured"),
        ({"submitted_at": None}, "payment_submitted_has_time"),
    ],
)
def test_database_refuses_an_impossible_payment(wrong: dict[str, object], constraint: str):
    payment = submitted_payment(place())

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(**wrong)


@pytest.mark.parametrize("old", PaymentState)
@pytest.mark.parametrize("new", SOURCES)
def test_payment_moves_where_the_table_says_and_nowhere_else(old: PaymentState, new: PaymentState):
    payment = submitted_payment(place())
    Payment.objects.update(state=old, captured_paise=int(old == PaymentState.CAPTURED))
    allowed = old in SOURCES[new]

    moved = Payment.objects.advance(payment, new, captured_paise=int(new == PaymentState.CAPTURED))

    assert moved == allowed
    assert payment.state == (new if allowed else old)


def test_no_way_leads_back():
    rank = list(PaymentState)

    assert all(rank.index(old) < rank.index(new) for new, olds in SOURCES.items() for old in olds)
