"""Telling the ERP what has become of a paid order, once for each of its states."""

import json
from typing import Any

import requests
from django.conf import settings
from django.db.models import F, Max
from django.utils import timezone

from queues import Permanent, Retry

from .. import selectors
from ..models import ErpDelivery, Order, OrderLine, OrderLog
from ..remote import erp

TEMPORARY = (408, 425, 429)
"""Answers of the 4xx kind that another attempt may mend."""


def sync(order_id: int) -> str:
    """Tell the ERP the order as it is now; what it took, or nothing if there was nothing to tell.

    Raises queues.Permanent when the ERP refuses (4xx), queues.Retry for any other answer that is not 2xx, and
    requests.RequestException when there is none.
    """
    order = selectors.order_with_lines(order_id)
    if not settings.ERP_URL or order.paid_at is None:
        return ""
    delivery = _delivery_of(order)
    if delivery.delivered_at is None:
        _deliver(delivery)
    return delivery.key


def _delivery_of(order: Order) -> ErpDelivery:
    """The first run's words stand, so that a repetition sends the same under the same key."""
    body = json.dumps(_told(order), ensure_ascii=False)
    fields = {"order": order, "body": body}
    return ErpDelivery.objects.get_or_create(key=f"order-{order.pk}-{order.state}", defaults=fields)[0]


def _deliver(delivery: ErpDelivery) -> None:
    ErpDelivery.objects.filter(pk=delivery.pk).update(attempts=F("attempts") + 1)
    try:
        answer = erp.post(delivery.key, delivery.body.encode())
    except requests.RequestException as error:
        _note(delivery, type(error).__name__)
        raise
    _note(delivery, str(answer.status_code))
    if 200 <= answer.status_code < 300:
        ErpDelivery.objects.filter(pk=delivery.pk, delivered_at=None).update(delivered_at=timezone.now())
    elif 400 <= answer.status_code < 500 and answer.status_code not in TEMPORARY:
        raise Permanent(f"the ERP refused {delivery.key}: {answer.status_code}")
    else:
        raise Retry(f"the ERP answered {answer.status_code}")


def _note(delivery: ErpDelivery, answer: str) -> None:
    ErpDelivery.objects.filter(pk=delivery.pk).update(answer=answer)


def _told(order: Order) -> dict[str, Any]:
    """`sequence` grows with every change of any order, so that the ERP can drop what comes late."""
    return {
        "order_id": order.pk,
        "state": order.state,
        "sequence": OrderLog.objects.filter(order=order).aggregate(last=Max("pk"))["last"],
        "currency": order.currency,
        "total_paise": order.total_paise,
        "email": order.email,
        "placed_at": order.placed_at.isoformat(),
        "paid_at": order.paid_at and order.paid_at.isoformat(),
        "shipping": {name: getattr(order, f"shipping_{name}") for name in ("name", "line", "city", "state", "pincode")},
        "lines": [_line(line) for line in order.lines.all()],
    }


def _line(line: OrderLine) -> dict[str, Any]:
    columns = ("sku", "name", "hsn", "gst_rate", "quantity", "unit_price_paise", "total_paise")
    return {column: getattr(line, column) for column in columns}
