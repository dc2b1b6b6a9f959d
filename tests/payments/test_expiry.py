"""The end of an unpaid order: by the clock or by its customer."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from orders.models import Order
from payments.errors import OrderNotCancellable, PaymentInProgress
from payments.models import Payment
from payments.services import collect, expiry
from queues import Snooze
from queues.models import Job
from queues.testing import drain, make_due

from .factories import PRICE_PAISE, captured_payment, place, stock_of, submitted_payment
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.django_db(transaction=True)


def grow_old(payment: Payment) -> None:
    past = timezone.now() - timedelta(minutes=30)
    Payment.objects.filter(pk=payment.pk).update(created_at=past, submitted_at=payment.submitted_at and past)


def state_of(order: Order) -> str:
    return Order.objects.get(pk=order.pk).state


def test_unpaid_order_is_cancelled_and_gives_its_stock_back(settings: Settings):
    settings.SIMULATED_GATEWAY_URL = "http://127.0.0.1:9"  # nothing to ask it
    order = place("")

    expiry.cancel_unpaid(order.pk)
    drain(queue="inventory-release")

    assert state_of(order) == "cancelled"
    assert stock_of(order) == (10, 0)


def test_auto_cancel_waits_an_hour_and_runs_once(settings: Settings):
    order = place("")
    job = Job.objects.get(name="payments.auto_cancel")
    assert job.key == f"cancel-{order.pk}"
    assert timedelta(minutes=59) < job.run_at - order.placed_at < timedelta(minutes=61)

    make_due(name="payments.auto_cancel")
    drain(queue="order")

    job.refresh_from_db()
    assert (state_of(order), job.state) == ("cancelled", "completed")


def test_auto_cancel_is_withdrawn_when_the_money_arrives(gateway: GatewayProcess):
    place("tok_success")

    drain(queue="payment")

    assert Job.objects.get(name="payments.auto_cancel").state == "cancelled"


def test_failed_order_is_cancelled_too(gateway: GatewayProcess):
    order = place("tok_decline")
    drain(queue="payment")

    expiry.cancel_unpaid(order.pk)

    assert state_of(order) == "cancelled"


@pytest.mark.parametrize("state", ["created", "submitted"])
def test_order_is_not_cancelled_while_a_charge_is_in_flight(gateway: GatewayProcess, state: str):
    order = place("")
    payment = collect.request_payment(order, "tok_success")
    Payment.objects.update(state=state, submitted_at=timezone.now())

    with pytest.raises(Snooze):
        expiry.cancel_unpaid(order.pk)

    payment.refresh_from_db()
    assert (payment.state, state_of(order)) == (state, "pending")
    assert gateway.entries(payment.idempotency_key) == []


def test_intent_without_outcome_is_voided_before_the_order_ends(gateway: GatewayProcess):
    order = place("tok_success")
    payment = submitted_payment(order)
    grow_old(payment)

    expiry.cancel_unpaid(order.pk)
    collect.charge(order.pk)

    payment.refresh_from_db()
    assert (payment.state, state_of(order)) == ("cancelled", "cancelled")
    assert [entry["effect"] for entry in gateway.entries(payment.idempotency_key)] == ["cancel"]
    late = {"amount_paise": PRICE_PAISE, "currency": "INR", "token": "tok_success"}
    assert gateway.post("/charges", late, payment.idempotency_key).json()["status"] == "cancelled"
    assert gateway.taken_paise(payment.idempotency_key) == 0


def test_money_that_the_gateway_took_pays_the_order_instead(gateway: GatewayProcess):
    order = place("tok_timeout_after")
    collect.charge(order.pk)
    payment = Payment.objects.get(order=order)
    grow_old(payment)

    expiry.cancel_unpaid(order.pk)

    payment.refresh_from_db()
    assert (payment.state, state_of(order)) == ("captured", "paid")
    assert gateway.taken_paise(payment.idempotency_key) == PRICE_PAISE


def test_uncertain_order_is_not_cancelled_while_the_gateway_is_away(settings: Settings):
    settings.SIMULATED_GATEWAY_URL = "http://127.0.0.1:9"
    order = place()
    payment = submitted_payment(order)
    grow_old(payment)

    with pytest.raises(Snooze):
        expiry.cancel_unpaid(order.pk)

    payment.refresh_from_db()
    assert (payment.state, state_of(order)) == ("submitted", "pending")


def test_intent_that_was_never_sent_ends_without_the_gateway(settings: Settings):
    settings.SIMULATED_GATEWAY_URL = "http://127.0.0.1:9"
    order = place("")
    payment = collect.request_payment(order, "tok_success")
    grow_old(payment)

    expiry.cancel_unpaid(order.pk)

    payment.refresh_from_db()
    assert (payment.state, payment.reason, state_of(order)) == ("cancelled", "not paid in time", "cancelled")


@pytest.mark.parametrize("state", ["paid", "processing", "cancelled"])
def test_other_orders_are_left_alone(state: str):
    order = place("")
    Order.objects.update(state=state)

    expiry.cancel_unpaid(order.pk)

    assert state_of(order) == state
    assert not Job.objects.filter(name="orders.order_cancelled").exists()


def test_customer_cancels_an_unpaid_order_without_the_gateway(settings: Settings):
    settings.SIMULATED_GATEWAY_URL = "http://127.0.0.1:9"
    order = place("tok_success")
    waiting = collect.request_payment(order, "tok_success")

    cancelled = expiry.cancel_by_customer(order)
    again = expiry.cancel_by_customer(order)

    waiting.refresh_from_db()
    assert cancelled.state == again.state == "cancelled"
    assert waiting.state == "cancelled"
    assert Job.objects.get(name="payments.auto_cancel").state == "cancelled"


def test_customer_cannot_cancel_while_the_outcome_is_unknown():
    order = place()
    payment = submitted_payment(order)
    grow_old(payment)

    with pytest.raises(PaymentInProgress):
        expiry.cancel_by_customer(order)

    payment.refresh_from_db()
    assert (payment.state, state_of(order)) == ("submitted", "pending")


def test_customer_cannot_cancel_a_paid_order():
    order = place()
    captured_payment(order)

    with pytest.raises(OrderNotCancellable):
        expiry.cancel_by_customer(order)

    assert state_of(order) == "paid"
