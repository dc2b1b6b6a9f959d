"""A customer whose payment waits for them cancels the order, or pays in another way: the old intent ends first."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from orders.models import Order
from orders.services import lifecycle
from payments.errors import OrderNotCancellable, OrderNotPayable, PaymentInProgress
from payments.gateways.base import GatewayRefused, GatewayUnknown
from payments.gateways.razorpay import RazorpayGateway
from payments.gateways.stripe import StripeGateway
from payments.gateways.wire import Wire
from payments.models import Payment, Refund
from payments.selectors import client_facts_of
from payments.services import collect, expiry, questions
from payments.services.settle import settle
from payments.simulator.providers.server import Providers
from queues import Snooze
from queues.models import Job
from queues.testing import drain

from .factories import PRICE_PAISE, proof, stock_of
from .paying import customer_pays, deliver, deliveries, pending, run_jobs, states
from .rivals import Rival, at_once

pytestmark = pytest.mark.django_db(transaction=True)
CLASSES: dict[str, Any] = {"stripe": StripeGateway, "razorpay": RazorpayGateway}
OTHER = {"stripe": "razorpay", "razorpay": "stripe"}
both = pytest.mark.parametrize("gateway", CLASSES)


@contextmanager
def no_gateway_is_called() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Wire, "send", lambda *_, **__: pytest.fail("a request called a gateway"))
        yield


def cancel(order: Order) -> str:
    with no_gateway_is_called():
        return str(expiry.cancel_by_customer(order).state)


def switch(order: Order, gateway: str, token: str = "") -> Payment:
    with no_gateway_is_called():
        return collect.request_payment(order, token, gateway)


def void_jobs() -> int:
    return Job.objects.filter(name="payments.void_payment").count()


@both
def test_cancelled_order_ends_when_its_intent_has_ended(providers: Providers, gateway: str):
    order, payment = pending(gateway)

    assert (cancel(order), cancel(order)) == ("pending", "pending")
    assert (states(order), void_jobs()) == ((["pending"], "pending"), 1)
    payment.refresh_from_db()
    assert client_facts_of(payment) == {}
    run_jobs()
    drain(queue="inventory-release")

    assert states(order) == (["cancelled"], "cancelled")
    assert stock_of(order) == (10, 0)
    assert order.log.get(event="cancelled").detail == "cancelled by the customer"
    if gateway == "stripe":
        assert providers.stripe.intents[payment.intent_reference]["status"] == "canceled"


@both
def test_customer_who_paid_before_the_intent_ended_has_paid(providers: Providers, gateway: str):
    order, payment = pending(gateway)
    cancel(order)
    customer_pays(providers, payment)

    run_jobs()

    assert states(order) == (["captured"], "paid")
    assert not Refund.objects.exists()


def test_customer_who_pays_after_having_cancelled_gets_the_money_back(providers: Providers):
    order, payment = pending("razorpay")
    cancel(order)
    run_jobs()

    customer_pays(providers, payment)
    deliver("razorpay", deliveries(providers, payment)[-1])
    run_jobs(times=2)

    assert states(order) == (["captured"], "cancelled")
    assert (Refund.objects.get().amount_paise, Refund.objects.get().state) == (PRICE_PAISE, "succeeded")


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
    order, _ = pending("stripe")

    switch(order, "stripe", "pm_card_visa")
    run_jobs(times=2)

    assert states(order) == (["cancelled", "captured"], "paid")
    assert sum(intent["amount_received"] for intent in providers.stripe.intents.values()) % PRICE_PAISE == 0


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


@pytest.mark.parametrize("state", ["submitted", "authorized"])
def test_only_what_waits_for_its_customer_can_be_given_up(providers: Providers, state: str):
    order, _ = pending("stripe")
    Payment.objects.update(state=state)

    with pytest.raises(PaymentInProgress):
        switch(order, "razorpay")
    with pytest.raises(PaymentInProgress):
        cancel(order)

    assert (states(order), void_jobs()) == (([state], "pending"), 0)


def test_gateway_that_does_not_answer_is_asked_again(providers: Providers, monkeypatch: pytest.MonkeyPatch):
    order, payment = pending("stripe")
    cancel(order)

    def be_silent(*arguments: object) -> None:
        raise GatewayUnknown("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(StripeGateway, "cancel", be_silent)
        with pytest.raises(Snooze):
            questions.void(payment.pk)
    assert states(order) == (["pending"], "pending")

    questions.void(payment.pk)
    assert states(order) == (["cancelled"], "cancelled")


def test_payment_that_a_bank_is_at_goes_on(providers: Providers, monkeypatch: pytest.MonkeyPatch):
    order, payment = pending("stripe")
    switch(order, "razorpay")

    def refuse(*arguments: object) -> None:
        raise GatewayRefused("payment_intent_unexpected_state")

    monkeypatch.setattr(StripeGateway, "cancel", refuse)
    questions.void(payment.pk)

    payment.refresh_from_db()
    assert (payment.ending, states(order)) == ("", (["pending", "cancelled"], "pending"))
    assert client_facts_of(payment) != {}


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


def test_wish_waits_for_money_that_has_the_lock(providers: Providers, monkeypatch: pytest.MonkeyPatch):
    order, payment = pending("razorpay")
    customer_pays(providers, payment)
    pay, rivals = lifecycle.mark_paid, []

    def pay_with_a_rival(order_id: int) -> bool:
        rivals.append(Rival(lambda: expiry.cancel_by_customer(order)).start())
        assert rivals[0].is_held_up()
        return pay(order_id)

    monkeypatch.setattr(lifecycle, "mark_paid", pay_with_a_rival)
    questions.check(payment.pk)

    with pytest.raises(OrderNotCancellable):
        rivals[0].finish()
    assert (states(order), void_jobs()) == ((["captured"], "paid"), 0)


def test_two_wishes_at_once_leave_one_payment_waiting(providers: Providers):
    order, _ = pending("razorpay")

    first, second = at_once(*[lambda: collect.request_payment(order, "pm_card_visa", "stripe")] * 2)
    run_jobs(times=2)

    assert sorted(type(rival.error).__name__ for rival in (first, second)) == ["NoneType", "PaymentInProgress"]
    assert states(order) == (["cancelled", "captured"], "paid")
