"""A customer whose payment waits for them pays in another way: the old intent ends first."""

from typing import Any

import pytest

from payments.errors import OrderNotPayable, PaymentInProgress
from payments.models import Payment, Refund
from payments.selectors import client_facts_of
from payments.services import collect, expiry, questions
from payments.services.settle import settle
from payments.simulator.providers.server import Providers
from queues.testing import drain

from .factories import PRICE_PAISE, proof
from .paying import customer_pays, deliver, deliveries, pending, run_jobs, states
from .rivals import at_once
from .wishes import CLASSES, OTHER, both, cancel, switch, void_jobs

pytestmark = pytest.mark.django_db(transaction=True)


@both
def test_other_gateway_is_asked_when_the_first_intent_has_ended(providers: Providers, gateway: str):
    order, first = pending(gateway)

    second = switch(order, OTHER[gateway])
    assert (second.state, states(order)) == ("waiting", (["pending", "waiting"], "pending"))
    run_jobs(times=2)

    second.refresh_from_db()
    assert states(order) == (["cancelled", "pending"], "pending")
    assert client_facts_of(second) != {}
    customer_pays(providers, second)
    run_jobs()
    assert states(order) == (["cancelled", "captured"], "paid")
    first.refresh_from_db()
    assert list(first.events.values_list("kind", flat=True)) == ["submitted", "pending", "given up", "cancelled"]


def test_token_takes_the_place_of_an_intent_that_waits(providers: Providers):
    before = received(providers)
    order, _ = pending("stripe")

    switch(order, "stripe", "pm_card_visa")
    run_jobs(times=2)

    assert states(order) == (["cancelled", "captured"], "paid")
    assert received(providers) - before == order.total_paise


def received(providers: Providers) -> int:
    """All that Stripe has taken so far, in paise."""
    return sum(intent["amount_received"] for intent in providers.stripe.intents.values())


@both
def test_second_payment_is_never_sent_where_the_first_was_paid(providers: Providers, gateway: str):
    order, first = pending(gateway)
    switch(order, OTHER[gateway])
    customer_pays(providers, first)
    known = len(providers.stripe.intents), len(providers.razorpay.orders)

    run_jobs(times=2)

    assert states(order) == (["captured", "cancelled"], "paid")
    assert (len(providers.stripe.intents), len(providers.razorpay.orders)) == known
    assert Payment.objects.get(state="cancelled").reason == "the order is paid"


def test_late_money_of_the_first_pays_and_ends_the_second(providers: Providers):
    order, first = pending("razorpay")
    second = switch(order, "stripe")
    run_jobs(times=2)

    customer_pays(providers, first)
    deliver("razorpay", deliveries(providers, first)[-1])
    run_jobs(times=3)

    second.refresh_from_db()
    assert states(order) == (["captured", "cancelled"], "paid")
    assert providers.stripe.intents[second.intent_reference]["status"] == "canceled"
    assert not Refund.objects.exists()


def test_who_pays_both_gets_one_back(providers: Providers):
    order, first = pending("razorpay")
    second = switch(order, "stripe")
    run_jobs(times=2)
    second.refresh_from_db()

    for payment in (second, first):
        customer_pays(providers, payment)
        deliver(payment.gateway, deliveries(providers, payment)[-1])
    run_jobs(times=3)

    assert states(order) == (["captured", "captured"], "paid")
    assert (Refund.objects.get().amount_paise, Refund.objects.get().state) == (PRICE_PAISE, "succeeded")


def test_the_last_wish_counts(providers: Providers):
    order, _ = pending("razorpay")
    switch(order, "stripe", "pm_card_chargeDeclined")
    switch(order, "stripe", "pm_card_visa")

    assert (states(order), void_jobs()) == ((["pending", "cancelled", "waiting"], "pending"), 1)
    run_jobs(times=2)

    assert states(order) == (["cancelled", "cancelled", "captured"], "paid")


def test_cancellation_drops_the_payment_that_waits_and_cannot_be_taken_back(providers: Providers):
    order, _ = pending("razorpay")
    switch(order, "stripe", "pm_card_visa")

    assert cancel(order) == "pending"
    with pytest.raises(OrderNotPayable):
        switch(order, "stripe", "pm_card_visa")
    run_jobs(times=2)

    assert states(order) == (["cancelled", "cancelled"], "cancelled")


def test_same_wish_again_changes_nothing(providers: Providers):
    order, _ = pending("razorpay")
    with pytest.raises(PaymentInProgress):
        switch(order, "razorpay")
    assert void_jobs() == 0
    switch(order, "stripe")

    with pytest.raises(PaymentInProgress):
        switch(order, "stripe")

    assert (states(order), void_jobs()) == ((["pending", "waiting"], "pending"), 1)


def test_declined_payment_makes_way_too(providers: Providers):
    order, payment = pending("stripe")
    switch(order, "stripe", "pm_card_visa")

    settle(payment.pk, proof("declined", 0, reference=payment.intent_reference))
    settle(payment.pk, proof("cancelled", 0, reference=payment.intent_reference))
    run_jobs(times=2)

    assert states(order) == (["cancelled", "captured"], "paid")


def test_end_of_the_payment_window_comes_before_the_job(providers: Providers):
    order, _ = pending("stripe")
    switch(order, "razorpay")
    Payment.objects.update(
        submitted_at=order.placed_at.replace(year=2020), created_at=order.placed_at.replace(year=2020)
    )

    expiry.cancel_unpaid(order.pk)
    run_jobs(times=2)

    assert states(order) == (["cancelled", "cancelled"], "cancelled")


@both
def test_customer_pays_on_the_line_between_look_and_cancel(
    providers: Providers, monkeypatch: pytest.MonkeyPatch, gateway: str
):
    order, payment = pending(gateway)
    switch(order, OTHER[gateway])
    real = CLASSES[gateway].cancel

    def be_overtaken(self: Any, intent: Any) -> Any:
        customer_pays(providers, payment)
        deliver(gateway, deliveries(providers, payment)[-1])
        drain(queue="payment-webhook")
        return real(self, intent)

    monkeypatch.setattr(CLASSES[gateway], "cancel", be_overtaken)
    questions.void(payment.pk)
    run_jobs()

    assert states(order) == (["captured", "cancelled"], "paid")
    assert not Refund.objects.exists()


def test_two_wishes_at_once_leave_one_payment_waiting(providers: Providers):
    order, _ = pending("razorpay")

    first, second = at_once(*[lambda: collect.request_payment(order, "pm_card_visa", "stripe")] * 2)
    run_jobs(times=2)

    assert sorted(type(rival.error).__name__ for rival in (first, second)) == ["NoneType", "PaymentInProgress"]
    assert states(order) == (["cancelled", "captured"], "paid")
