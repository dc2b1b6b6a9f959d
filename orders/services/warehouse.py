"""Taking over what the warehouse has counted: every difference is a movement, and no reserved piece is taken away."""

import logging
from collections import Counter

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications.services import notify

from .. import selectors
from ..models import Stock
from ..remote.warehouse import count_stock
from ..states import MovementReason
from . import stock

log = logging.getLogger(__name__)


def sync_stock() -> dict[str, int]:
    """Make the shelves what the warehouse says; how many were changed, the same, busy, short, and unknown.

    busy: changed while the warehouse counted, so its number may be old; the next run decides. short: it counts
    fewer than are reserved, which staff is told instead. Raises what `count_stock` raises.
    """
    if not settings.WAREHOUSE_URL:
        return {}
    ours = {shelf.product.sku: shelf for shelf in Stock.objects.select_related("product")}  # before asking
    counted = count_stock()
    told = Counter(_take_over(ours[sku], pieces) if sku in ours else "unknown" for sku, pieces in counted.items())
    log.info("stock sync: %s", dict(told))
    return dict(told)


def _take_over(shelf: Stock, counted: int) -> str:
    if counted == shelf.on_hand:
        return "same"
    try:
        with transaction.atomic():
            by = counted - shelf.on_hand
            changed = stock.change_on_hand(shelf.pk, by, MovementReason.WAREHOUSE, expected=shelf.on_hand)
    except IntegrityError:
        _tell_shortfall(shelf, counted)
        return "short"
    return "changed" if changed else "busy"


def _tell_shortfall(shelf: Stock, counted: int) -> None:
    """Once a day for each number."""
    context = {
        "shop": settings.SHOP_NAME,
        "sku": shelf.product.sku,
        "name": shelf.product.name,
        "on_hand": shelf.on_hand,
        "reserved": shelf.reserved,
        "counted": counted,
    }
    key = f"stock-shortfall-{shelf.pk}-{counted}-{timezone.localdate():%Y%m%d}"
    for address in selectors.staff_addresses():
        notify(kind="stock_shortfall", to=address, context=context, key=f"{key}-{address}"[:200])
