"""What speaks against an order: the patterns of `SUSPICIOUS_PATTERNS`, counted over its customer's last hours."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from .. import events
from ..models import Order, OrderLog, ReviewItem
from ..states import OrderEvent, OrderState, ReviewKind, ReviewState
from .review import suspicion_key


def check(order_id: int) -> list[str]:
    """Have a review opened if anything speaks against the order; what does."""
    order = Order.objects.get(pk=order_id)
    reasons = [] if order.state == OrderState.CANCELLED else reasons_against(order)
    if reasons:
        with transaction.atomic():
            events.order_suspicious.emit(order_id=order_id, reasons=reasons)
    return reasons


def is_doubtful(order: Order) -> bool:
    """Whether its money should not be captured yet; what a review has decided is no longer doubted."""
    item = ReviewItem.objects.filter(key=suspicion_key(order.pk)).first()
    return item.state == ReviewState.OPEN if item else bool(reasons_against(order))


def reasons_against(order: Order) -> list[str]:
    """A sentence for each pattern that fits."""
    reasons = []
    for pattern in settings.SUSPICIOUS_PATTERNS:
        since = timezone.now() - timedelta(seconds=pattern["within"])
        found = COUNTS[pattern["pattern"]](order.customer_id, since)
        if found >= pattern["at_least"]:
            reasons.append(_sentence(pattern["pattern"], found, pattern["within"]))
    return reasons


def _sentence(kind: str, found: int, within: int) -> str:
    unit, length = next((unit, length) for unit, length in UNITS if within % length == 0)
    return f"{found} {WORDS[kind][found != 1]} of this customer within {within // length} {unit}"


def _declines(customer_id: int, since: datetime) -> int:
    failed = OrderLog.objects.filter(event=OrderEvent.PAYMENT_FAILED, at__gte=since)
    return failed.filter(order__customer=customer_id).count()


def _orders(customer_id: int, since: datetime) -> int:
    return Order.objects.filter(customer=customer_id, placed_at__gte=since).count()


def _mismatches(customer_id: int, since: datetime) -> int:
    """Amounts that differ, as the payments' reviews say."""
    opened = ReviewItem.objects.filter(kind=ReviewKind.PAYMENT_DISCREPANCY, opened_at__gte=since)
    return opened.filter(order__customer=customer_id, reasons__icontains="amount differs").count()


COUNTS: Mapping[str, Callable[[int, datetime], int]] = {
    "declines": _declines,
    "orders": _orders,
    "mismatches": _mismatches,
}
WORDS: Mapping[str, tuple[str, str]] = {
    "declines": ("declined payment", "declined payments"),
    "orders": ("order", "orders"),
    "mismatches": ("amount that differs", "amounts that differ"),
}
UNITS = (("h", 3600), ("min", 60), ("s", 1))
