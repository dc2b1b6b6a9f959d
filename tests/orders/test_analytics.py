"""The figures of a day: every fact counted once, on its Indian day."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from orders import events, jobs
from orders.models import Counted, DailyFigures, DailySales, Order
from orders.services import analytics, lifecycle
from queues.testing import drain
from tests.orders.shop import at_once, make_order, make_paid_order, make_product

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Asia/Kolkata"))


def figures(day: date = DAY) -> dict[str, Any]:
    row = dict(DailyFigures.objects.filter(day=day).values().first() or {})
    return {name: value for name, value in row.items() if name != "day"}


def paid_at(order: Order, at: datetime = NOON) -> Order:
    Order.objects.filter(pk=order.pk).update(paid_at=at)
    return order


def test_orders_revenue_and_units_add_up():
    make_product("RICE", price_paise=10_000)
    make_product("SAREE", price_paise=250_050, category="Clothes")
    for lines in ([("RICE", 2), ("SAREE", 1)], [("RICE", 3)]):
        analytics.count_order(paid_at(make_paid_order(*lines)).pk)

    assert figures() == {
        "orders": 2,
        "revenue_paise": 300_050,
        "cancelled": 0,
        "refunds": 0,
        "refunded_paise": 0,
    }
    sales = DailySales.objects.filter(day=DAY).values_list("product__sku", "category", "units", "revenue_paise")
    assert set(sales) == {("RICE", "Grocery", 5, 50_000), ("SAREE", "Clothes", 1, 250_050)}


def test_a_repeated_job_counts_once():
    order, cancelled = make_paid_order(), make_order()
    lifecycle.cancel_order(cancelled.pk, "late")
    Order.objects.filter(pk=cancelled.pk).update(cancelled_at=NOON)
    paid_at(order)

    for _ in range(3):
        jobs.analytics(order.pk)
        jobs.analytics(cancelled.pk)
        jobs.count_refund(order.pk, 1, 500)
        jobs.count_refund(order.pk, 2, 700)

    assert (figures()["orders"], figures()["cancelled"]) == (1, 1)
    assert DailySales.objects.get().units == 1
    refunds = DailyFigures.objects.filter(refunds__gt=0).values_list("refunds", "refunded_paise")
    assert list(refunds) == [(2, 1_200)]


@pytest.mark.django_db(transaction=True)
def test_counted_at_once_by_many_it_counts_once():
    make_product("A")
    make_product("B")
    orders = [paid_at(make_paid_order(("A", 1), ("B", 1))) for _ in range(3)]

    at_once([lambda pk=order.pk: analytics.count_order(pk) for order in orders for _ in range(4)], threads=6)

    assert figures()["orders"] == Counted.objects.count() == 3
    assert list(DailySales.objects.values_list("units", flat=True)) == [3, 3]


def test_the_day_is_that_of_india():
    late = datetime(2026, 11, 21, 18, 30, tzinfo=ZoneInfo("UTC"))  # midnight
    analytics.count_order(paid_at(make_paid_order(), late).pk)

    assert figures(DAY)["orders"] == 1


def test_a_crash_between_the_counters_counts_nothing(monkeypatch: pytest.MonkeyPatch):
    order = paid_at(make_paid_order())
    with monkeypatch.context() as patch:
        patch.setattr(analytics, "SALES", "SELECT 1/0, %s, %s")
        with pytest.raises(Exception, match="division"), transaction.atomic():
            analytics.count_order(order.pk)
    assert not Counted.objects.exists()

    analytics.count_order(order.pk)

    assert figures()["orders"] == DailySales.objects.get().units == 1


def test_events_are_counted():
    order = make_paid_order()
    with transaction.atomic():
        events.order_refunded.emit(order_id=order.pk, refund_id=7, amount_paise=105)

    drain(queue="reports")

    row = DailyFigures.objects.get()
    assert (row.orders, row.refunds, row.refunded_paise) == (1, 1, 105)
    assert (jobs.analytics.queue, jobs.count_refund.queue) == ("reports", "reports")
