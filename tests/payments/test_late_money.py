"""Money that comes for an order that was cancelled: for one that was only overdue the goods are taken again."""

import pytest

from orders.models import Order, OrderLog, Product
from orders.services import analytics, lifecycle, stock
from payments.models import Payment, Refund
from payments.services import expiry
from payments.services.settle import settle
from queues.models import Job

from .factories import PRICE_PAISE, make_product, place, proof, stock_of, submitted_payment
from .rivals import Rival, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def overdue(product: Product | None = None, *, is_released: bool = True) -> tuple[Order, Payment]:
    """An order whose intent was given up at the end of its time, and which was cancelled then."""
    order = place("", product)
    payment = submitted_payment(order)
    settle(payment.pk, proof("cancelled"))
    expiry.cancel_unpaid(order.pk)
    if is_released:
        stock.release(order.pk)
    order.refresh_from_db()
    assert order.state == "cancelled"
    return order, payment


def log_of(order: Order) -> list[tuple[str, str]]:
    return list(OrderLog.objects.filter(order=order).values_list("event", "detail"))


def jobs_named(name: str) -> int:
    return Job.objects.filter(name=name).count()


def outcome(order: Order) -> tuple[str, int]:
    """What became of it, and how much is promised back."""
    order.refresh_from_db()
    return order.state, sum(refund.amount_paise for refund in Refund.objects.filter(payment__order=order))


@pytest.mark.parametrize("is_released", [True, False])
def test_overdue_order_takes_its_goods_again_and_is_paid(is_released: bool):
    order, payment = overdue(is_released=is_released)

    settle(payment.pk, proof("captured"))
    settle(payment.pk, proof("captured"))

    assert outcome(order) == ("paid", 0)
    assert stock_of(order) == (10, 1)
    assert order.cancelled_at is None
    assert log_of(order)[-2:] == [("reopened", "paid late"), ("paid", "")]
    assert jobs_named("orders.process_order") == 1
    assert not payment.events.filter(kind="needs review").exists()


def test_release_that_comes_after_the_money_takes_nothing_back():
    order, payment = overdue(is_released=False)
    settle(payment.pk, proof("captured"))

    assert stock.release(order.pk) == 0
    lifecycle.begin_processing(order.pk)

    assert stock_of(order) == (9, 0)


def test_late_money_for_goods_that_are_gone_is_refunded_and_reviewed():
    product = make_product(on_hand=1)
    order, payment = overdue(product)
    place("", product)

    settle(payment.pk, proof("captured"))

    assert outcome(order) == ("cancelled", PRICE_PAISE)
    assert log_of(order)[-1][0] == "stock_released"
    assert payment.events.get(kind="needs review").detail == {"reason": "the order was cancelled when the money came"}
    assert stock_of(order) == (1, 1)
    assert jobs_named("orders.process_order") == 0


@pytest.mark.parametrize("is_overdue", [True, False], ids=["after its time", "in time"])
def test_customer_who_cancelled_gets_the_money_back(is_overdue: bool):
    order, payment = overdue() if is_overdue else (place(""), None)
    expiry.cancel_by_customer(order)
    expiry.cancel_by_customer(order)
    payment = payment or submitted_payment(order)

    settle(payment.pk, proof("captured"))

    assert outcome(order) == ("cancelled", PRICE_PAISE)
    assert log_of(order).count(("cancelled", "cancelled by the customer")) == 1
    assert payment.events.filter(kind="needs review").count() == 1


def test_another_amount_does_not_reopen_the_order():
    order, payment = overdue()

    settle(payment.pk, proof("captured", PRICE_PAISE - 1))

    assert outcome(order) == ("cancelled", PRICE_PAISE - 1)
    assert stock_of(order) == (10, 0)


def test_second_late_payment_is_refunded():
    order, first = overdue()
    second = submitted_payment(order)
    settle(second.pk, proof("cancelled", reference="ch_2"))

    settle(first.pk, proof("captured"))
    settle(second.pk, proof("captured", reference="ch_2"))

    assert outcome(order) == ("paid", PRICE_PAISE)
    assert Refund.objects.get().payment == second


def test_reopened_order_counts_as_paid_and_no_longer_as_cancelled():
    order, payment = overdue()
    settle(payment.pk, proof("captured"))

    analytics.count_order(order.pk)

    assert lifecycle.reopen_overdue(order.pk) is False
    assert list(order.payments.values_list("state", flat=True)) == ["captured"]
    order.refresh_from_db()
    assert (order.paid_at is not None, order.cancelled_at) == (True, None)


def test_two_late_payments_at_once_pay_once():
    order, first = overdue()
    second = submitted_payment(order)
    settle(second.pk, proof("cancelled", reference="ch_2"))

    at_once(
        lambda: settle(first.pk, proof("captured")),
        lambda: settle(second.pk, proof("captured", reference="ch_2")),
    )

    assert outcome(order) == ("paid", PRICE_PAISE)
    assert stock_of(order) == (10, 1)
    assert jobs_named("orders.process_order") == 1


def test_late_money_and_a_new_buyer_share_no_last_piece():
    product = make_product(on_hand=1)
    order, payment = overdue(product)

    _, buyer = at_once(lambda: settle(payment.pk, proof("captured")), lambda: place("", product))

    state, returned = outcome(order)
    assert (state, returned, buyer.error is None) in [("paid", 0, False), ("cancelled", PRICE_PAISE, True)]
    assert stock_of(order) == (1, 1)


def test_money_waits_for_an_auto_cancel_that_has_the_lock_and_pays_after_all(monkeypatch: pytest.MonkeyPatch):
    order = place("")
    payment = submitted_payment(order)
    settle(payment.pk, proof("cancelled"))
    cancel, rivals = lifecycle.cancel_order, []

    def cancel_with_a_rival(order_id: int, reason: str) -> bool:
        rivals.append(Rival(lambda: settle(payment.pk, proof("captured"))).start())
        assert rivals[0].is_held_up()
        return cancel(order_id, reason)

    monkeypatch.setattr(lifecycle, "cancel_order", cancel_with_a_rival)
    expiry.cancel_unpaid(order.pk)
    rivals[0].finish()

    assert outcome(order) == ("paid", 0)
    assert [event for event, _ in log_of(order)] == ["placed", "cancelled", "reopened", "paid"]


def test_customer_who_insists_while_the_money_comes_finds_the_order_paid(monkeypatch: pytest.MonkeyPatch):
    """Who comes first to the order's lock decides: here the money."""
    order, payment = overdue()
    pay, rivals = lifecycle.mark_paid, []

    def pay_with_a_rival(order_id: int) -> bool:
        rivals.append(Rival(lambda: expiry.cancel_by_customer(order)).start())
        assert rivals[0].is_held_up()
        return pay(order_id)

    monkeypatch.setattr(lifecycle, "mark_paid", pay_with_a_rival)
    settle(payment.pk, proof("captured"))

    with pytest.raises(Exception, match="it can no longer be cancelled"):
        rivals[0].finish()
    assert outcome(order) == ("paid", 0)


def test_without_the_logs_reason_a_customers_cancellation_would_be_undone():
    order = place("")
    expiry.cancel_by_customer(order)

    assert lifecycle.reopen_overdue(order.pk) is False
    assert lifecycle.reopen(order.pk) is False

    OrderLog.objects.create(order=order, event="cancelled", detail="not paid in time")
    assert lifecycle.reopen_overdue(order.pk) is True
