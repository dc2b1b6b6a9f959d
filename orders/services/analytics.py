"""Counting what was sold, cancelled and refunded: every fact once, however often its job runs."""

from datetime import date, datetime

from django.db import connection, transaction
from django.utils import timezone

from ..models import Counted, Order
from ..states import CountedKind

FIGURES = """
INSERT INTO orders_dailyfigures AS d (day, orders, revenue_paise, cancelled, refunds, refunded_paise)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (day) DO UPDATE SET
    orders = d.orders + excluded.orders,
    revenue_paise = d.revenue_paise + excluded.revenue_paise,
    cancelled = d.cancelled + excluded.cancelled,
    refunds = d.refunds + excluded.refunds,
    refunded_paise = d.refunded_paise + excluded.refunded_paise
"""

SALES = """
INSERT INTO orders_dailysales AS d (day, product_id, category, units, revenue_paise)
SELECT %s, l.product_id, p.category, l.quantity, l.total_paise
FROM orders_orderline l JOIN orders_product p ON p.id = l.product_id
WHERE l.order_id = %s
ORDER BY l.product_id
ON CONFLICT (day, product_id) DO UPDATE SET
    units = d.units + excluded.units, revenue_paise = d.revenue_paise + excluded.revenue_paise
"""


def count_order(order_id: int) -> None:
    """Count that the order was paid and that it was cancelled, as far as it was."""
    order = Order.objects.get(pk=order_id)
    if order.paid_at:
        _count_paid(order, indian_day(order.paid_at))
    if order.cancelled_at:
        _count_cancelled(order, indian_day(order.cancelled_at))


@transaction.atomic
def count_refund(order_id: int, reference: str, amount_paise: int) -> None:
    """Count money that was given back, on the day it is counted first."""
    day = timezone.localdate()
    if _is_new(order_id, CountedKind.REFUNDED, day, reference):
        _add(day, refunds=1, refunded_paise=amount_paise)


@transaction.atomic
def _count_paid(order: Order, day: date) -> None:
    if _is_new(order.pk, CountedKind.PAID, day):
        _add(day, orders=1, revenue_paise=order.total_paise)
        with connection.cursor() as cursor:
            cursor.execute(SALES, [day, order.pk])


@transaction.atomic
def _count_cancelled(order: Order, day: date) -> None:
    if _is_new(order.pk, CountedKind.CANCELLED, day):
        _add(day, cancelled=1)


def _is_new(order_id: int, kind: CountedKind, day: date, reference: str = "") -> bool:
    """Of two at once the second waits here for the first, and then finds its row."""
    fields = {"order_id": order_id, "kind": kind, "reference": reference}
    return Counted.objects.get_or_create(**fields, defaults={"day": day})[1]


def _add(
    day: date,
    *,
    orders: int = 0,
    revenue_paise: int = 0,
    cancelled: int = 0,
    refunds: int = 0,
    refunded_paise: int = 0,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FIGURES, [day, orders, revenue_paise, cancelled, refunds, refunded_paise])


def indian_day(at: datetime) -> date:
    return timezone.localdate(at)
