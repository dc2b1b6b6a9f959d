"""Orders paid through Stripe and Razorpay, by their SDKs: once, by the provider's own book, whatever goes wrong."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from payments.models import Payment, Refund
from payments.services import collect, expiry, questions
from payments.simulator.providers.server import Providers
from queues.models import Job
from queues.testing import drain

from .factories import PRICE_PAISE, place
from .paying import customer_pays, pending, run_jobs, states

pytestmark = pytest.mark.django_db(transaction=True)
CLIENT_SIDE = ["stripe", "razorpay"]


def taken_paise(providers: Providers, payment: Payment) -> int:
    """By Stripe's book, over all that was made for this payment."""
    made = [one for one in providers.stripe.intents.values() if one["metadata"]["payment"] == payment.idempotency_key]
    return sum(one["amount_received"] for one in made)


def asked(token: str = "pm_card_visa") -> Payment:
    """An intent for Stripe that was not sent yet."""
    return collect.request_payment(place(""), token, "stripe")


@pytest.mark.parametrize("gateway", CLIENT_SIDE)
def test_customer_confirms_at_the_gateway_and_a_poll_finds_it(providers: Providers, gateway: str):
    order, payment = pending(gateway)
    assert states(order) == (["pending"], "pending")

    customer_pays(providers, payment)
    run_jobs()

    assert states(order) == (["captured"], "paid")
    payment.refresh_from_db()
    assert (payment.captured_paise, payment.client_secret) == (PRICE_PAISE, "")
    assert Job.objects.get(name="payments.verify_payment").state == "completed"


@pytest.mark.parametrize("gateway", CLIENT_SIDE)
def test_failed_attempt_leaves_the_customer_another(providers: Providers, gateway: str):
    order, payment = pending(gateway)

    customer_pays(providers, payment, "failed")
    run_jobs()
    payment.refresh_from_db()
    told = payment.reason
    customer_pays(providers, payment)
    run_jobs()

    assert "declined" in told
    assert states(order) == (["captured"], "paid")


def test_token_is_charged_at_once(providers: Providers):
    payment = asked()

    drain(queue="payment")

    assert states(payment.order) == (["captured"], "paid")
    assert taken_paise(providers, payment) == PRICE_PAISE


@pytest.mark.parametrize("token", ["pm_card_chargeDeclined", "pm_nonsense"])
def test_token_that_is_declined_fails_the_order(providers: Providers, token: str):
    payment = asked(token)

    drain(queue="payment")

    assert states(payment.order) == (["declined"], "payment_failed")
    assert taken_paise(providers, payment) == 0


def test_card_that_wants_its_customer_waits_for_them(providers: Providers):
    order, payment = pending("stripe", "pm_card_authenticationRequired")
    assert payment.client_secret

    customer_pays(providers, payment)
    run_jobs()

    assert states(order) == (["captured"], "paid")


@pytest.mark.parametrize("kind", ["silence", "500", "garbage", "reset", "slow"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_trouble_on_the_way_charges_once(providers: Providers, settings: Settings, kind: str, when: str):
    payment = asked()
    providers.faults.plan(kind, when, part=payment.idempotency_key)

    settings.GATEWAY_TIMEOUT = 0.3 if kind == "slow" else 10.0
    run_jobs()
    settings.GATEWAY_TIMEOUT = 10.0
    run_jobs(times=3)

    assert states(payment.order) == (["captured"], "paid")
    assert taken_paise(providers, payment) == PRICE_PAISE


def test_stored_error_is_not_asked_for_again_but_a_new_key_sent(providers: Providers):
    payment = asked()
    providers.faults.plan("500", "before", part=payment.idempotency_key)

    run_jobs(times=3)

    payment.refresh_from_db()
    assert (payment.state, payment.key_generation, payment.key_spoiled) == ("captured", 2, False)
    assert taken_paise(providers, payment) == PRICE_PAISE


def test_stored_error_after_the_effect_is_fetched_not_charged_again(providers: Providers):
    payment = asked()
    providers.faults.plan("500", "after", part=payment.idempotency_key)

    run_jobs(times=3)

    payment.refresh_from_db()
    assert (payment.state, payment.key_generation) == ("captured", 1)
    assert len(one_by_name(providers, payment)) == 1


def one_by_name(providers: Providers, payment: Payment) -> list[Any]:
    made = providers.stripe.intents.values()
    return [one for one in made if one["metadata"]["payment"] == payment.idempotency_key]


def test_key_that_stripe_has_forgotten_is_not_posted_again(providers: Providers):
    payment = asked()
    providers.faults.plan("silence", "after", part=payment.idempotency_key)
    collect.charge(payment.order_id)
    assert len(one_by_name(providers, payment)) == 1

    providers.stripe.keys.forget()
    Payment.objects.update(key_used_at=timezone.now() - timedelta(hours=24))
    run_jobs()

    assert states(payment.order) == (["captured"], "paid")
    assert taken_paise(providers, payment) == PRICE_PAISE


@pytest.mark.parametrize("gateway", CLIENT_SIDE)
def test_unpaid_intent_is_cancelled_before_the_order(providers: Providers, gateway: str):
    order, payment = pending(gateway)
    Payment.objects.update(submitted_at=timezone.now() - timedelta(hours=1))

    expiry.cancel_unpaid(order.pk)

    assert states(order) == (["cancelled"], "cancelled")
    if gateway == "stripe":
        assert providers.stripe.intents[payment.intent_reference]["status"] == "canceled"


@pytest.mark.parametrize("gateway", CLIENT_SIDE)
def test_money_that_came_unnoticed_pays_the_order_at_its_end(providers: Providers, gateway: str):
    order, payment = pending(gateway)
    customer_pays(providers, payment)
    Payment.objects.update(submitted_at=timezone.now() - timedelta(hours=1))

    expiry.cancel_unpaid(order.pk)

    assert states(order) == (["captured"], "paid")


def test_second_success_under_one_razorpay_order_is_refunded_and_reviewed(providers: Providers):
    order, payment = pending("razorpay")
    first = customer_pays(providers, payment)
    second = customer_pays(providers, payment)

    run_jobs(times=2)
    questions.check(payment.pk)
    run_jobs(times=2)

    assert states(order) == (["captured", "captured"], "paid")
    own, beside = Payment.objects.order_by("pk")
    assert {own.gateway_reference, beside.gateway_reference} == {first, second}
    assert (own.refundable_paise, beside.refundable_paise) == (PRICE_PAISE, 0)
    assert Refund.objects.get().state == "succeeded"
    assert providers.razorpay.payments[beside.gateway_reference]["amount_refunded"] == PRICE_PAISE
    assert beside.events.filter(kind="needs review").count() == 1


@pytest.mark.parametrize("gateway", CLIENT_SIDE)
def test_order_that_the_gateway_names_otherwise_is_not_paid(providers: Providers, gateway: str):
    order, payment = pending(gateway)
    if gateway == "stripe":
        providers.stripe.intents[payment.intent_reference]["metadata"]["order"] = "0"
    else:
        providers.razorpay.orders[payment.intent_reference]["notes"] = {"order": "0"}
    customer_pays(providers, payment)

    run_jobs(times=2)

    payment.refresh_from_db()
    assert states(order) == (["captured"], "payment_failed")
    assert payment.refundable_paise == 0
    assert payment.events.get(kind="needs review").detail == {"reason": "the gateway names another order"}
