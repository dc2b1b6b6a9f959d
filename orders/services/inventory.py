"""Looking after the stock: what is held for nobody, what runs out, and whether the ledger agrees."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from notifications.services import notify

from .. import selectors
from ..models import Stock
from . import stock

log = logging.getLogger(__name__)

LOW = F("reserved") + F("product__low_stock_at")
GRACE = timedelta(minutes=15)
"""How long the job that releases an order's stock is waited for."""


def sweep_reservations() -> int:
    """Release what is still held for orders that gave it up; the number of orders, 0 when every job did its work."""
    found = selectors.forgotten_reservations(timezone.now() - GRACE)
    released = [order_id for order_id in found if stock.release(order_id)]
    for order_id in released:
        log.warning("order %s still held stock; released by the sweep", order_id)
    return len(released)


def tell_low_stock() -> list[str]:
    """Mail staff one list of the products that have become low since the last look; their SKUs.

    A product is told again only after there was more of it in between.
    """
    Stock.objects.filter(low_since__isnull=False, on_hand__gt=LOW).update(low_since=None)
    now = timezone.now()
    with transaction.atomic():
        low = list(_newly_low().select_for_update(of=("self",), no_key=True))
        Stock.objects.filter(pk__in=[shelf.pk for shelf in low]).update(low_since=now)
        if low:
            _tell("low_stock", f"low-stock-{now:%Y%m%dT%H%M%S%f}", low)
    return [shelf.product.sku for shelf in low]


def check_ledger() -> list[str]:
    """The SKUs whose stock is not the sum of its movements, each logged as an error."""
    wrong = list(selectors.stock_off_the_ledger().select_related("product"))
    for shelf in wrong:
        log.error("the stock of %s is not the sum of its movements", shelf.product.sku)
    return [shelf.product.sku for shelf in wrong]


def _newly_low() -> QuerySet[Stock]:
    low = Stock.objects.filter(on_hand__lte=LOW, low_since=None, product__is_active=True)
    return low.select_related("product").order_by("pk")


def _tell(kind: str, key: str, shelves: Iterable[Stock]) -> None:
    lines = [{"sku": s.product.sku, "name": s.product.name, "free": s.free} for s in shelves]
    for address in selectors.staff_addresses():
        notify(
            kind=kind, to=address, context={"shop": settings.SHOP_NAME, "lines": lines}, key=f"{key}-{address}"[:200]
        )
