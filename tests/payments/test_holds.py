"""Two steps: money that is authorized, and captured by a job or after a review."""

from typing import Any

import pytest
from pytest_django import Settings

from orders.services import lifecycle
from payments.gateways.base import GatewayRefused
from payments.gateways.simulated import SimulatedGateway
from payments.models import Payment
from payments.services import collect, expiry, holds, questions
from payments.services.settle import settle
from payments.simulator.providers.server import Providers
from queues import Snooze
from queues.models import Job
from queues.testing import drain, make_due, moved

from .factories import PRICE_PAISE, place, proof, submitted_payment
from .gateway_process import GatewayProcess
from .paying import customer_pays, pending, run_jobs, states

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def limit(settings: Settings) -> None:
    settings.PAYMENT_HOLD_ABOVE_PAISE = PRICE_PAISE - 1


def held_payment() -> Payment:
    order = place("tok_success")
    collect.charge(order.pk)
    return Payment.objects.get(order=order)


def reviews_of(payment: Payment) -> list[str]:
    return [event.detail["reason"] for event in payment.events.filter(kind="needs review")]


def test_order_at_the_limit_is_not_held(gateway: GatewayProcess, settings: Settings):
    settings.PAYMENT_HOLD_ABOVE_PAISE = PRICE_PAISE

    assert held_payment().state == "captured"


def test_order_above_the_limit_is_authorized_and_waits_for_a_review(gateway: GatewayProcess, limit: None):
    payment = held_payment()
    drain(queue="payment")

    assert states(payment.order) == (["authorized"], "pending")
    assert reviews_of(payment) == ["held above the limit"]
    assert gateway.taken_paise(payment.idempotency_key) == 0
    Payment.objects.update(submitted_at=payment.order.placed_at.replace(year=2020))
    with pytest.raises(Snooze, match="waits for its capture or a review"):
        expiry.cancel_unpaid(payment.order_id)


def test_held_money_is_not_captured_by_a_stray_job(gateway: GatewayProcess, limit: None):
    payment = held_payment()

    questions.capture(payment.pk)

    assert states(payment.order) == (["authorized"], "pending")
    assert gateway.taken_paise(payment.idempotency_key) == 0


def test_review_lets_the_money_be_captured_once(gateway: GatewayProcess, limit: None):
    payment = held_payment()

    assert (holds.let_go(payment.pk), holds.let_go(payment.pk)) == (True, False)
    drain(queue="payment")

    assert states(payment.order) == (["captured"], "paid")
    assert gateway.taken_paise(payment.idempotency_key) == PRICE_PAISE


def test_review_gives_the_money_up(gateway: GatewayProcess, limit: None):
    payment = held_payment()

    assert holds.refuse(payment.pk)
    drain(queue="payment")
    expiry.cancel_unpaid(payment.order_id)

    assert states(payment.order) == (["cancelled"], "cancelled")
    assert gateway.taken_paise(payment.idempotency_key) == 0
    assert not holds.let_go(payment.pk)


@pytest.mark.parametrize("gateway_name", ["stripe", "razorpay"])
def test_held_money_of_a_provider_is_captured_after_the_review(providers: Providers, limit: None, gateway_name: str):
    order, payment = pending(gateway_name)
    customer_pays(providers, payment)
    run_jobs()
    assert states(order) == (["authorized"], "pending")

    holds.let_go(payment.pk)
    run_jobs()

    assert states(order) == (["captured"], "paid")


def test_authorization_without_a_hold_is_captured_by_a_job():
    payment = submitted_payment(place())

    settle(payment.pk, proof("authorized"))

    assert Job.objects.filter(name="payments.capture_payment", args__payment_id=payment.pk).exists()


def test_authorized_amount_that_differs_is_held_for_review():
    payment = submitted_payment(place())

    settle(payment.pk, proof("authorized", PRICE_PAISE - 1))

    payment.refresh_from_db()
    assert (payment.state, payment.held) == ("authorized", True)
    assert reviews_of(payment) == ["the authorized amount differs"]
    assert not Job.objects.filter(name="payments.capture_payment").exists()


def test_authorization_for_an_order_that_ended_is_given_up(gateway: GatewayProcess, settings: Settings):
    settings.PAYMENT_HOLD_ABOVE_PAISE = 1
    order = place("tok_success")
    collect.charge(order.pk)
    payment = Payment.objects.get(order=order)
    Payment.objects.update(state="submitted")
    lifecycle.cancel_order(order.pk, "test")

    questions.check(payment.pk)
    drain(queue="payment")

    assert states(order) == (["cancelled"], "cancelled")
    assert gateway.taken_paise(payment.idempotency_key) == 0
    assert reviews_of(payment) == ["held above the limit"]
    assert payment.events.filter(kind="given up").get().detail == {"late": "the order was cancelled"}


def test_late_authorization_of_razorpay_pays_an_order_that_still_waits(providers: Providers):
    order, payment = pending("razorpay")
    failed = customer_pays(providers, payment, "failed")
    Payment.objects.update(state="declined")

    providers.razorpay.late_authorization(failed)
    questions.check(payment.pk)
    run_jobs()

    assert states(order) == (["captured"], "paid")


def test_late_authorization_for_a_cancelled_order_is_not_captured(providers: Providers):
    order, payment = pending("razorpay")
    failed = customer_pays(providers, payment, "failed")
    Payment.objects.update(state="cancelled")
    lifecycle.cancel_order(order.pk, "test")

    providers.razorpay.late_authorization(failed)
    questions.check(payment.pk)
    run_jobs()

    assert states(order) == (["cancelled"], "cancelled")
    assert providers.razorpay.payments[failed]["status"] == "authorized"
    assert reviews_of(payment) == []
    assert payment.events.filter(kind="given up").get().detail == {"late": "the order was cancelled"}


def test_late_authorization_is_given_up_at_its_gateway_once(providers: Providers):
    """An intent that Stripe declined at first, or that was taken for ended, and that is authorized all the same."""
    order, payment = pending("stripe")
    providers.stripe.intents[payment.intent_reference]["capture_method"] = "manual"
    Payment.objects.update(state="declined")
    lifecycle.cancel_order(order.pk, "test")
    customer_pays(providers, payment)

    for _ in range(2):
        questions.check(payment.pk)
        run_jobs()

    assert states(order) == (["cancelled"], "cancelled")
    assert providers.stripe.intents[payment.intent_reference]["status"] == "canceled"
    assert reviews_of(payment) == []
    assert Job.objects.filter(name="payments.void_payment").count() == 1


def test_late_authorization_that_is_captured_meanwhile_is_late_money(providers: Providers):
    """Razorpay captures by itself: between its two words nobody can give the authorization up."""
    order, payment = pending("razorpay")
    failed = customer_pays(providers, payment, "failed")
    Payment.objects.update(state="cancelled")
    lifecycle.cancel_order(order.pk, "test")
    providers.razorpay.late_authorization(failed)
    questions.check(payment.pk)

    providers.razorpay.payments[failed]["status"] = "captured"
    run_jobs(times=2)

    assert states(order) == (["captured"], "cancelled")
    assert providers.razorpay.payments[failed]["status"] == "refunded"


def authorized_payment() -> Payment:
    payment = submitted_payment(place())
    return settle(payment.pk, proof("authorized"))


def refuse(*arguments: Any) -> None:
    raise GatewayRefused("not now")


def test_capture_that_was_given_up_is_retried_an_hour_apart_and_then_reviewed(monkeypatch: pytest.MonkeyPatch):
    payment = authorized_payment()
    monkeypatch.setattr(SimulatedGateway, "capture", refuse)
    for _ in range(3):
        make_due(queue="payment")
        drain(queue="payment", raises=False)
    retry = Job.objects.get(name="payments.retry_capture")
    assert 3590 < (retry.run_at - retry.created_at).total_seconds() < 3610

    for hours in (1, 2, 3):
        with moved(hours=hours, minutes=1):
            drain(queue="payment-retry", raises=False)
    drain(queue="payment-retry")

    retry.refresh_from_db()
    assert (retry.state, retry.attempt) == ("failed", 3)
    assert reviews_of(payment) == ["authorized money could not be captured"]


def test_capture_succeeds_at_the_retry(gateway: GatewayProcess, limit: None, monkeypatch: pytest.MonkeyPatch):
    payment = held_payment()
    holds.let_go(payment.pk)
    with monkeypatch.context() as trouble:
        trouble.setattr(SimulatedGateway, "capture", refuse)
        for _ in range(3):
            make_due(queue="payment")
            drain(queue="payment", raises=False)

    with moved(hours=1, minutes=1):
        drain(queue="payment-retry")

    assert states(payment.order) == (["captured"], "paid")
