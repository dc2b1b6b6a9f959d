"""The one door: any proof, in any order, any number of times."""

from dataclasses import replace
from itertools import permutations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.models import Order
from orders.services import lifecycle
from payments.jobs import refund_payment
from payments.models import Payment, PaymentEvent, Refund
from payments.services.settle import settle
from queues.testing import assert_enqueued

from .factories import PRICE_PAISE, captured_payment, make_product, place, proof, stock_of, submitted_payment

pytestmark = pytest.mark.django_db


def state_of(payment: Payment) -> tuple[str, str]:
    payment.refresh_from_db()
    return payment.state, Order.objects.get(pk=payment.order_id).state


def test_second_capture_is_ignored():
    payment = captured_payment(place())

    settle(payment.pk, proof("captured"))

    assert state_of(payment) == ("captured", "paid")
    assert PaymentEvent.objects.filter(kind="captured").count() == 1
    assert not Refund.objects.exists()


def test_capture_and_paid_order_are_one_transaction(monkeypatch: pytest.MonkeyPatch):
    payment = submitted_payment(place())
    monkeypatch.setattr(lifecycle, "mark_paid", lambda order_id: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        settle(payment.pk, proof("captured"))

    assert state_of(payment) == ("submitted", "pending")
    assert not PaymentEvent.objects.exists()


def test_customer_is_told_of_the_intent_that_was_written_down_first():
    # given two intents that two jobs made at once, at a gateway that knows no idempotency keys
    payment = submitted_payment(place())
    first, second = (
        replace(proof("pending", reference=name), intent_reference=name) for name in ("order_1", "order_2")
    )

    # when each is written down, and the second once more
    for made in (first, second, second):
        settle(payment.pk, made)

    # then the storefront is never told of another than the first, nor is the gateway asked about it
    payment.refresh_from_db()
    assert (payment.state, payment.intent_reference, payment.gateway_reference) == ("pending", "order_1", "order_1")

    # and news of the first are written down as before
    settle(payment.pk, replace(first, reason="the card was refused", client_secret="new"))
    payment.refresh_from_db()
    assert (payment.reason, payment.client_secret) == ("the card was refused", "new")


@pytest.mark.parametrize("proofs", list(permutations(["declined", "cancelled", "captured"])))
def test_order_of_proofs_does_not_matter(proofs: tuple[str, ...]):
    payment = submitted_payment(place())

    for status in proofs:
        settle(payment.pk, proof(status))

    assert state_of(payment) == ("captured", "paid")
    assert not Refund.objects.exists()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["pending", "declined", "cancelled", "captured"]), min_size=1, max_size=6))
def test_duplicates_and_disorder_end_in_one_state(proofs: list[str]):
    final = max(proofs, key=["pending", "declined", "cancelled", "captured"].index)
    with transaction.atomic():
        payment = submitted_payment(place())
        for status in proofs:
            settle(payment.pk, proof(status))

        assert state_of(payment)[0] == final
        assert payment.captured_paise == (PRICE_PAISE if final == "captured" else 0)
        assert PaymentEvent.objects.filter(payment=payment).count() == len(set(proofs))
        assert (state_of(payment)[1] == "paid") == (final == "captured")
        assert not Refund.objects.filter(payment=payment).exists()


def test_cancelled_intent_leaves_the_order_waiting():
    payment = submitted_payment(place())

    settle(payment.pk, proof("cancelled"))

    assert state_of(payment) == ("cancelled", "pending")


def test_money_for_a_cancelled_order_is_refunded():
    order = place()
    payment = submitted_payment(order)
    lifecycle.cancel_order(order.pk, "test")

    settle(payment.pk, proof("captured"))

    refund = Refund.objects.get()
    assert_enqueued(refund_payment, refund_id=refund.pk)
    assert payment.events.get(kind="needs review").detail == {"reason": refund.reason}
    assert state_of(payment) == ("captured", "cancelled")
    assert (refund.payment, refund.amount_paise, refund.state) == (payment, PRICE_PAISE, "requested")
    assert payment.refunded_paise == PRICE_PAISE
    assert_enqueued(refund_payment, refund_id=refund.pk)


def test_second_payment_of_an_order_is_refunded():
    order = place()
    first = captured_payment(order)
    second = submitted_payment(order)

    settle(second.pk, proof("captured", reference="ch_2"))

    assert state_of(first) == state_of(second) == ("captured", "paid")
    assert Refund.objects.get().payment == second
    assert second.events.get(kind="needs review").detail == {"reason": "the order was paid when the money came"}


def test_late_money_for_a_failed_order_takes_the_goods_again():
    order = place()
    payment = submitted_payment(order)
    settle(payment.pk, proof("declined"))
    release(order)

    settle(payment.pk, proof("captured"))

    assert state_of(payment) == ("captured", "paid")
    assert stock_of(order) == (10, 1)
    assert not Refund.objects.exists()


def test_late_money_for_goods_that_are_gone_is_refunded():
    product = make_product(on_hand=1)
    order = place(product=product)
    payment = submitted_payment(order)
    settle(payment.pk, proof("declined"))
    release(order)
    place(product=product)

    settle(payment.pk, proof("captured"))

    assert state_of(payment) == ("captured", "payment_failed")
    assert Refund.objects.get().amount_paise == PRICE_PAISE
    assert stock_of(order) == (1, 1)


@pytest.mark.parametrize(
    ("amount_paise", "currency"), [(PRICE_PAISE - 1, "INR"), (PRICE_PAISE + 1, "INR"), (PRICE_PAISE, "USD")]
)
def test_another_amount_does_not_pay_the_order_and_is_refunded(amount_paise: int, currency: str):
    payment = submitted_payment(place())

    settle(payment.pk, proof("captured", amount_paise, currency))

    assert state_of(payment) == ("captured", "payment_failed")
    assert (payment.captured_paise, payment.refunded_paise) == (amount_paise, amount_paise)
    assert Refund.objects.get().reason == "the captured amount differs"


def test_decline_of_an_old_payment_does_not_fail_an_order_that_is_being_paid():
    order = place()
    old = submitted_payment(order)
    settle(old.pk, proof("cancelled"))
    submitted_payment(order)

    settle(old.pk, proof("declined"))

    assert state_of(old) == ("cancelled", "pending")


def test_wrong_amount_on_an_old_payment_does_not_fail_an_order_that_is_being_paid():
    order = place()
    old = submitted_payment(order)
    settle(old.pk, proof("cancelled"))
    submitted_payment(order)

    settle(old.pk, proof("captured", 1))

    assert state_of(old) == ("captured", "pending")
    assert Refund.objects.get().payment == old


def test_capture_ends_another_intent_only_by_its_own_proof():
    order = place()
    late = submitted_payment(order)
    settle(late.pk, proof("cancelled"))
    rival = submitted_payment(order)

    settle(late.pk, proof("captured"))
    settle(rival.pk, proof("captured", reference="ch_2"))

    assert state_of(late) == state_of(rival) == ("captured", "paid")
    assert Refund.objects.get().payment == rival


def release(order: Order) -> None:
    from orders.services import stock

    assert stock.release(order.pk) == 1
