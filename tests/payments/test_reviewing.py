"""Reviews and held money: what opens one, and what its decision does at the gateway."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from orders.models import Order, ReviewItem, StockMovement
from orders.services import lifecycle, review
from payments.models import Payment, PaymentEvent, Refund
from payments.services import collect, reviewing
from payments.services.settle import settle
from payments.simulator.providers.server import Providers
from queues.models import Job
from queues.testing import drain

from .factories import (
    PRICE_PAISE,
    captured_payment,
    make_customer,
    make_product,
    place,
    proof,
    stock_of,
    submitted_payment,
)
from .gateway_process import GatewayProcess
from .paying import customer_pays, pending, run_jobs, states

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def limit(settings: Settings) -> None:
    settings.PAYMENT_HOLD_ABOVE_PAISE = PRICE_PAISE - 1


def held_order() -> Order:
    """Authorized, and its review opened by the jobs."""
    order = place("tok_success")
    drain(queue="payment")
    drain(queue="manual-review")
    return order


def decide(approve: bool, **which: Any) -> None:
    review.decide(ReviewItem.objects.get(**which).pk, approve=approve, by=make_customer())
    drain(queue="payment")


def taken(gateway: GatewayProcess, order: Order) -> int:
    return sum(gateway.taken_paise(payment.idempotency_key) for payment in order.payments.all())


def test_orders_above_fifty_thousand_rupees_are_held_unless_told_otherwise(settings: Settings):
    assert settings.PAYMENT_HOLD_ABOVE_PAISE == 5_000_000


def test_held_money_opens_a_review_with_a_deadline_inside_the_capture_window(
    gateway: GatewayProcess, limit: None, settings: Settings
):
    order = held_order()

    item, payment = ReviewItem.objects.get(), Payment.objects.get()
    authorized_at = PaymentEvent.objects.get(kind="authorized").at
    assert (item.kind, item.order, item.payment_number) == ("high_value", order, payment.pk)
    assert item.deadline_at == authorized_at + settings.REVIEW_WINDOW
    assert timedelta(days=5) > settings.REVIEW_WINDOW


def test_approval_captures_the_money_once(gateway: GatewayProcess, limit: None):
    order = held_order()

    decide(approve=True)
    reviewing.carry_out(ReviewItem.objects.get().pk)
    drain(queue="payment")

    assert states(order) == (["captured"], "paid")
    assert taken(gateway, order) == PRICE_PAISE


def test_rejection_gives_the_money_up_and_cancels_the_order(gateway: GatewayProcess, limit: None):
    order = held_order()

    decide(approve=False)

    assert states(order) == (["cancelled"], "cancelled")
    assert taken(gateway, order) == 0
    assert order.log.get(event="cancelled").detail == reviewing.REFUSED


def test_a_deadline_that_nobody_met_is_a_rejection(gateway: GatewayProcess, limit: None, settings: Settings):
    settings.REVIEW_WINDOW = timedelta(seconds=0)
    order = held_order()

    review.watch_deadlines()
    drain(queue="payment")

    assert states(order) == (["cancelled"], "cancelled")
    assert taken(gateway, order) == 0


@pytest.mark.parametrize("gateway_name", ["stripe", "razorpay"])
@pytest.mark.parametrize(("approve", "end"), [(True, (["captured"], "paid")), (False, (["cancelled"], "cancelled"))])
def test_held_money_of_a_provider_follows_the_decision(
    providers: Providers, limit: None, gateway_name: str, approve: bool, end: Any
):
    order, payment = pending(gateway_name)
    customer_pays(providers, payment)
    run_jobs()
    drain(queue="manual-review")

    decide(approve)

    assert states(order) == end


def test_a_suspicious_order_is_held_and_reviewed(gateway: GatewayProcess, settings: Settings):
    settings.SUSPICIOUS_PATTERNS = [{"pattern": "orders", "at_least": 1, "within": 3600}]
    order = held_order()
    drain(queue="order")
    drain(queue="manual-review")

    item = ReviewItem.objects.get()
    assert (item.kind, item.payment_number) == ("suspicious", Payment.objects.get().pk)
    assert item.deadline_at is not None
    assert states(order) == (["authorized"], "pending")
    decide(approve=True)
    assert states(order) == (["captured"], "paid")


def test_an_approval_that_came_before_the_authorization_lets_it_go(gateway: GatewayProcess, settings: Settings):
    settings.SUSPICIOUS_PATTERNS = [{"pattern": "orders", "at_least": 1, "within": 3600}]
    order = place("tok_success")
    collect.charge(order.pk)
    item = review.open_suspicion(order.pk, ["strange"])
    review.decide(item.pk, approve=True, by=make_customer())

    drain(queue="manual-review")
    drain(queue="payment")

    assert states(order) == (["captured"], "paid")


def test_money_is_captured_when_the_last_of_two_reviews_is_approved(
    gateway: GatewayProcess, limit: None, settings: Settings
):
    order = held_order()
    review.open_suspicion(order.pk, ["strange"])

    decide(approve=True, kind="high_value")
    between = states(order)
    decide(approve=True, kind="suspicious")

    assert between == (["authorized"], "pending")
    assert states(order) == (["captured"], "paid")


def test_one_rejection_of_two_reviews_is_enough(gateway: GatewayProcess, limit: None):
    order = held_order()
    review.open_suspicion(order.pk, ["strange"])

    decide(approve=False, kind="suspicious")
    decide(approve=True, kind="high_value")

    assert states(order) == (["cancelled"], "cancelled")
    assert taken(gateway, order) == 0


def test_every_discrepancy_opens_a_review_of_its_own():
    payment = captured_payment(place())

    items = [reviewing.open_for_payment(payment.pk, reason) for reason in ("a dispute", "books differ", "a dispute")]

    assert len({item.pk for item in items}) == 2
    assert {(item.kind, item.deadline_at) for item in items} == {("payment_discrepancy", None)}


def test_money_for_a_cancelled_order_is_for_a_person_to_look_at():
    payment = submitted_payment(place())
    Order.objects.update(state="cancelled")

    settle(payment.pk, proof("captured"))
    drain(queue="manual-review")

    item = ReviewItem.objects.get()
    assert item.reasons == ["the order was cancelled when the money came"]
    decide(approve=False)
    assert Refund.objects.count() == 1


def suspicious(payment: Payment) -> ReviewItem:
    item = review.open_suspicion(payment.order_id, ["strange"])
    return review.decide(item.pk, approve=False, by=make_customer())


def test_rejecting_a_paid_order_calls_it_off_once():
    payment = captured_payment(place(product=make_product()))
    lifecycle.begin_processing(payment.order_id)
    taken = stock_of(payment.order)
    item = suspicious(payment)

    for _ in range(2):
        reviewing.carry_out(item.pk)

    refund = Refund.objects.get()
    assert (refund.amount_paise, refund.reason) == (PRICE_PAISE, reviewing.REFUSED)
    assert states(payment.order) == (["captured"], "cancelled")
    assert (taken, stock_of(payment.order)) == ((9, 0), (10, 0))
    assert StockMovement.objects.filter(reason="returned").count() == 1
    assert Job.objects.filter(name="orders.order_cancelled").count() == 1


def test_goods_that_are_still_held_are_released_when_a_paid_order_is_called_off():
    payment = captured_payment(place(product=make_product()))

    reviewing.carry_out(suspicious(payment).pk)
    drain(queue="inventory-release")

    assert states(payment.order) == (["captured"], "cancelled")
    assert stock_of(payment.order) == (10, 0)


def test_rejecting_an_order_that_has_left_gives_nothing_back():
    payment = captured_payment(place())
    Order.objects.update(state="shipped")

    reviewing.carry_out(suspicious(payment).pk)

    assert states(payment.order) == (["captured"], "shipped")
    assert not Refund.objects.exists()
