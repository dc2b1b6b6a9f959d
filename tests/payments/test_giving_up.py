"""A customer whose payment waits for them cancels the order: the intent ends first."""

import pytest

from orders.services import lifecycle
from payments.errors import OrderNotCancellable, PaymentInProgress
from payments.gateways.base import GatewayRefused, GatewayUnknown
from payments.gateways.stripe import StripeGateway
from payments.models import Payment, Refund
from payments.selectors import client_facts_of
from payments.services import expiry, questions
from payments.simulator.providers.server import Providers
from queues import Snooze
from queues.testing import drain

from .factories import PRICE_PAISE, stock_of
from .paying import customer_pays, deliver, deliveries, pending, run_jobs, states
from .rivals import Rival
from .wishes import both, cancel, switch, void_jobs

pytestmark = pytest.mark.django_db(transaction=True)


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
