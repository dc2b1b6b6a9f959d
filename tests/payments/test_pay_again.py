"""Paying later, and paying again after a decline."""

import pytest

from orders.errors import OutOfStock
from orders.models import Order
from orders.services import lifecycle
from payments.errors import OrderNotPayable, PaymentInProgress
from payments.jobs import process_payment
from payments.models import Payment
from payments.services import collect
from queues.models import Job
from queues.testing import assert_enqueued, drain

from .factories import PRICE_PAISE, captured_payment, make_product, place, stock_of, submitted_payment
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.django_db(transaction=True)


def charge_jobs() -> int:
    return Job.objects.filter(name="payments.process_payment").count()


def test_order_placed_without_token_is_paid_later(gateway: GatewayProcess):
    order = place("")
    drain(queue="payment")

    payment = collect.request_payment(order, "tok_success")
    assert_enqueued(process_payment, order_id=order.pk)
    assert payment.state == "created"
    drain(queue="payment")

    order.refresh_from_db()
    payment.refresh_from_db()
    assert (payment.state, order.state, order.payment_token) == ("captured", "paid", "tok_success")
    assert gateway.taken_paise(payment.idempotency_key) == PRICE_PAISE


def test_declined_order_is_paid_again_under_a_new_key(gateway: GatewayProcess):
    order = place("tok_decline")
    drain(queue="payment")
    drain(queue="inventory-release")
    assert stock_of(order) == (10, 0)

    collect.request_payment(order, "tok_success")
    assert stock_of(order) == (10, 1)
    drain(queue="payment")

    declined, captured = Payment.objects.filter(order=order).order_by("pk")
    assert (declined.state, captured.state) == ("declined", "captured")
    assert declined.idempotency_key != captured.idempotency_key
    assert Order.objects.get(pk=order.pk).state == "paid"
    assert gateway.taken_paise(captured.idempotency_key) == PRICE_PAISE


def test_token_is_not_charged_a_second_time_by_a_late_copy_of_the_job(gateway: GatewayProcess):
    order = place("tok_decline")
    drain(queue="payment")
    lifecycle.reopen(order.pk)

    collect.charge(order.pk)

    assert Payment.objects.get(order=order).state == "declined"


def test_second_request_waits_for_the_first(gateway: GatewayProcess):
    order = place("")
    first = collect.request_payment(order, "tok_success")
    jobs = charge_jobs()

    with pytest.raises(PaymentInProgress):
        collect.request_payment(order, "tok_decline")

    order.refresh_from_db()
    assert order.payment_token == "tok_success"
    assert list(Payment.objects.all()) == [first]
    assert charge_jobs() == jobs


def test_request_replaces_a_token_that_was_not_charged_yet(gateway: GatewayProcess):
    order = place("tok_decline")

    collect.request_payment(order, "tok_success")
    drain(queue="payment")

    order.refresh_from_db()
    assert [payment.state for payment in Payment.objects.all()] == ["captured"]
    assert order.state == "paid"


@pytest.mark.parametrize("state", ["paid", "processing", "cancelled"])
def test_order_that_does_not_wait_for_money_is_refused(state: str):
    order = place("")
    Order.objects.update(state=state)

    with pytest.raises(OrderNotPayable):
        collect.request_payment(order, "tok_success")

    order.refresh_from_db()
    assert (order.state, order.payment_token) == (state, "")
    assert not Payment.objects.exists()


def test_paying_again_for_goods_that_are_gone_is_refused(gateway: GatewayProcess):
    product = make_product(on_hand=1)
    order = place("tok_decline", product)
    drain(queue="payment")
    drain(queue="inventory-release")
    place("", product)
    jobs = charge_jobs()

    with pytest.raises(OutOfStock):
        collect.request_payment(order, "tok_success")

    order.refresh_from_db()
    assert (order.state, order.payment_token) == ("payment_failed", "tok_decline")
    assert Payment.objects.filter(order=order).count() == 1
    assert charge_jobs() == jobs


def test_intent_of_an_order_that_is_paid_meanwhile_is_never_sent(gateway: GatewayProcess):
    order = place("")
    waiting = collect.request_payment(order, "tok_success")
    Payment.objects.filter(pk=waiting.pk).update(state="cancelled")  # makes room for the rival
    captured_payment(order)
    Payment.objects.filter(pk=waiting.pk).update(state="created")

    collect.charge(order.pk)

    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("cancelled", "the order is paid")
    assert gateway.entries(waiting.idempotency_key) == []


def test_database_holds_one_open_payment_per_order():
    from django.db import IntegrityError

    order = place("")
    submitted_payment(order)

    with pytest.raises(IntegrityError, match="one_open_payment_per_order"):
        submitted_payment(order)
