"""Rivals on the exact line, with the providers: webhook against poll, cancel against capture; and without the lock."""

import threading
from typing import Any

import pytest
from django.db import transaction

from orders.models import Order, Product
from orders.services import lifecycle
from payments.gateways.razorpay import RazorpayGateway
from payments.gateways.stripe import StripeGateway
from payments.models import Payment, PaymentEvent, ProviderEvent, Refund
from payments.services import expiry, questions
from payments.services import settle as settlement
from payments.simulator.providers.server import Providers
from queues.models import Job
from queues.testing import drain

from .factories import PRICE_PAISE, place, proof, submitted_payment
from .paying import customer_pays, deliver, deliveries, pending, run_jobs, states
from .rivals import Rival, at_once

pytestmark = pytest.mark.django_db(transaction=True)
CLASSES = {"stripe": StripeGateway, "razorpay": RazorpayGateway}


@pytest.mark.parametrize("gateway", CLASSES)
def test_webhook_between_a_polls_question_and_its_settling_pays_once(
    providers: Providers, monkeypatch: pytest.MonkeyPatch, gateway: str
):
    order, payment = pending(gateway)
    customer_pays(providers, payment)
    fetch = CLASSES[gateway].fetch

    def fetch_and_be_overtaken(self: Any, intent: Any) -> Any:
        found = fetch(self, intent)
        monkeypatch.undo()
        deliver(gateway, deliveries(providers, payment)[-1])
        drain(queue="payment-webhook")
        assert states(order) == (["captured"], "paid")
        return found

    monkeypatch.setattr(CLASSES[gateway], "fetch", fetch_and_be_overtaken)
    questions.verify(payment.pk)

    assert states(order) == (["captured"], "paid")
    assert payment.events.filter(kind="captured").count() == 1
    assert Job.objects.filter(name="orders.process_order").count() == 1
    assert not Refund.objects.exists()


def test_webhook_waits_for_a_poll_that_has_the_lock(providers: Providers, monkeypatch: pytest.MonkeyPatch):
    order, payment = pending("stripe")
    customer_pays(providers, payment)
    record, rivals = settlement._record, []

    def record_with_a_rival(*arguments: Any) -> None:
        monkeypatch.setattr(settlement, "_record", record)
        rivals.append(Rival(lambda: questions.check(payment.pk)).start())
        assert rivals[0].is_held_up()
        record(*arguments)

    monkeypatch.setattr(settlement, "_record", record_with_a_rival)
    questions.verify(payment.pk)
    rivals[0].finish()

    assert states(order) == (["captured"], "paid")
    assert Job.objects.filter(name="orders.process_order").count() == 1


def test_same_webhook_at_once_is_one_event(providers: Providers):
    _, payment = pending("stripe")
    customer_pays(providers, payment)
    event = deliveries(providers, payment)[-1]

    rivals = at_once(*[lambda: deliver("stripe", event).status_code] * 4)

    assert [rival.result for rival in rivals] == [200] * 4
    assert ProviderEvent.objects.count() == 1
    assert Job.objects.filter(name="payments.apply_stripe_event").count() == 1


@pytest.mark.parametrize("gateway", CLASSES)
def test_customer_who_pays_while_the_intent_is_being_cancelled_has_paid(
    providers: Providers, monkeypatch: pytest.MonkeyPatch, gateway: str
):
    order, payment = pending(gateway)
    Payment.objects.update(submitted_at=order.placed_at.replace(year=2020))
    cancel = CLASSES[gateway].cancel

    def be_overtaken_by_the_customer(self: Any, intent: Any) -> Any:
        customer_pays(providers, payment)
        return cancel(self, intent)

    monkeypatch.setattr(CLASSES[gateway], "cancel", be_overtaken_by_the_customer)
    expiry.cancel_unpaid(order.pk)

    assert states(order) == (["captured"], "paid")
    assert not Refund.objects.exists()


def test_customer_who_pays_between_stripes_look_and_its_cancel_has_paid(
    providers: Providers, monkeypatch: pytest.MonkeyPatch
):
    order, payment = pending("stripe")
    Payment.objects.update(submitted_at=order.placed_at.replace(year=2020))
    then = StripeGateway._then

    def be_overtaken_by_the_customer(self: Any, step: str, found: Any, intent: Any) -> Any:
        customer_pays(providers, payment)
        return then(self, step, found, intent)

    monkeypatch.setattr(StripeGateway, "_then", be_overtaken_by_the_customer)
    expiry.cancel_unpaid(order.pk)

    assert states(order) == (["captured"], "paid")


def test_customer_who_pays_after_razorpays_order_was_given_up_gets_the_money_back_if_the_goods_are_gone(
    providers: Providers,
):
    order, payment = pending("razorpay")
    Payment.objects.update(submitted_at=order.placed_at.replace(year=2020))
    expiry.cancel_unpaid(order.pk)

    drain(queue="inventory-release")
    place("", Product.objects.get(), quantity=10)
    customer_pays(providers, payment)
    deliver("razorpay", deliveries(providers, payment)[-1])
    run_jobs(times=2)

    assert states(order) == (["captured"], "cancelled")
    assert (Refund.objects.get().amount_paise, Refund.objects.get().state) == (PRICE_PAISE, "succeeded")
    assert payment.events.filter(kind="needs review").exists()


def test_without_the_lock_one_proof_would_be_settled_twice(monkeypatch: pytest.MonkeyPatch):
    """The proof that the race is real: two that settle without lock or condition both find the order unpaid."""
    payment = submitted_payment(place())
    seen = []

    def settle_naively() -> None:
        seen.append(Order.objects.get(pk=payment.order_id).state)
        at_the_line.wait(10)
        Payment.objects.filter(pk=payment.pk).update(state="captured", captured_paise=PRICE_PAISE)
        PaymentEvent.objects.create(payment=payment, kind="captured", dedupe_key=f"naive-{threading.get_ident()}")
        lifecycle.events.order_paid.emit(order_id=payment.order_id)

    at_the_line = threading.Barrier(2)
    at_once(*[transaction.atomic(settle_naively)] * 2)

    assert seen == ["pending", "pending"]
    assert Job.objects.filter(name="orders.process_order").count() == 2

    other = submitted_payment(place())
    at_once(*[lambda: settlement.settle(other.pk, proof("captured"))] * 2)
    assert Job.objects.filter(name="orders.process_order", args__order_id=other.order_id).count() == 1
