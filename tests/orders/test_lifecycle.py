import pytest

from orders.errors import OutOfStock, StockNotHeld
from orders.models import Order, Reservation, Stock
from orders.services import lifecycle, stock
from orders.states import OrderState
from queues.models import Job
from queues.states import JobState
from tests.orders.shop import log_of, make_order, make_paid_order, make_product, shelf

pytestmark = pytest.mark.django_db


def waiting(order: Order) -> set[str]:
    jobs = Job.objects.filter(subject=f"order-{order.pk}", state=JobState.WAITING)
    return set(jobs.values_list("name", flat=True))


def test_a_paid_order_is_processed_invoiced_and_no_longer_cancelled():
    order = make_order()

    assert lifecycle.mark_paid(order.pk)

    order.refresh_from_db()
    assert order.state == OrderState.PAID
    assert order.paid_at is not None
    assert {"orders.process_order", "orders.generate_invoice"} <= waiting(order)
    assert "payments.auto_cancel" not in waiting(order)


def test_paying_twice_moves_once():
    order = make_order()

    assert [lifecycle.mark_paid(order.pk), lifecycle.mark_paid(order.pk)] == [True, False]

    assert log_of(order) == ["placed", "paid"]
    assert Job.objects.filter(name="orders.process_order").count() == 1


def test_a_failed_payment_is_logged_with_its_reason():
    order = make_order()

    assert lifecycle.mark_payment_failed(order.pk, "insufficient funds")

    assert order.log.get(event="payment_failed").detail == "insufficient funds"
    assert {"orders.release_stock_on_failure", "orders.payment_failed"} <= waiting(order)


@pytest.mark.parametrize("fail_first", [False, True])
def test_an_unpaid_order_can_be_cancelled(fail_first: bool):
    order = make_order()
    if fail_first:
        lifecycle.mark_payment_failed(order.pk, "declined")

    assert lifecycle.cancel_order(order.pk, "not paid in time")

    order.refresh_from_db()
    assert order.state == OrderState.CANCELLED
    assert order.cancelled_at is not None
    assert {"orders.release_stock_on_cancellation", "orders.order_cancelled"} <= waiting(order)
    assert "payments.auto_cancel" not in waiting(order)


def test_a_paid_order_is_not_cancelled():
    order = make_paid_order()

    assert not lifecycle.cancel_order(order.pk, "not paid in time")

    order.refresh_from_db()
    assert (order.state, order.cancelled_at) == (OrderState.PAID, None)
    assert "orders.order_cancelled" not in waiting(order)


def test_reopening_holds_the_stock_again():
    order = make_order()
    lifecycle.mark_payment_failed(order.pk, "declined")
    stock.release(order.pk)
    assert shelf() == (10, 0)

    assert lifecycle.reopen(order.pk)

    order.refresh_from_db()
    assert order.state == OrderState.PENDING
    assert shelf() == (10, 1)
    assert not lifecycle.reopen(order.pk)
    assert shelf() == (10, 1)


def test_reopening_before_the_release_takes_nothing_twice_and_the_late_release_nothing_back():
    order = make_order()
    lifecycle.mark_payment_failed(order.pk, "declined")

    assert lifecycle.reopen(order.pk)
    assert shelf() == (10, 1)
    assert stock.release(order.pk) == 0

    assert shelf() == (10, 1)


def test_reopening_what_is_sold_out_changes_nothing():
    make_product("SAREE", on_hand=1)
    order = make_order(("SAREE", 1))
    lifecycle.mark_payment_failed(order.pk, "declined")
    stock.release(order.pk)
    make_order(("SAREE", 1))

    with pytest.raises(OutOfStock) as refusal:
        lifecycle.reopen(order.pk)

    assert refusal.value.fields == {"SAREE": "Sold out."}
    order.refresh_from_db()
    assert order.state == OrderState.PAYMENT_FAILED
    assert log_of(order) == ["placed", "payment_failed", "stock_released"]
    assert shelf("SAREE") == (1, 1)


def test_processing_takes_the_goods_off_the_shelf_once():
    make_product("SAREE", on_hand=5)
    order = make_paid_order(("SAREE", 2))

    lifecycle.begin_processing(order.pk)
    lifecycle.begin_processing(order.pk)

    order.refresh_from_db()
    assert order.state == OrderState.PROCESSING
    assert shelf("SAREE") == (3, 0)
    assert list(order.reservations.values_list("state", flat=True)) == ["committed"]


def test_processing_without_held_stock_fails_and_changes_nothing():
    order = make_paid_order()
    Reservation.objects.filter(order=order).update(state="released")
    Stock.objects.update(reserved=0)

    with pytest.raises(StockNotHeld):
        lifecycle.begin_processing(order.pk)

    order.refresh_from_db()
    assert order.state == OrderState.PAID
    assert shelf() == (10, 0)
