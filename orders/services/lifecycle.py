"""The life of an order after it was placed: the only writer of Order.state.

Every step is one UPDATE with the states it may come from in its WHERE; it returns whether the order moved. Only then
is it logged and its event emitted, in the same transaction.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from .. import events, selectors
from ..models import Order, OrderLog
from ..states import STILL_HERE, OrderEvent, OrderState, states_before
from . import stock


@transaction.atomic(savepoint=False)
def mark_paid(order_id: int) -> bool:
    """pending -> paid; call it in the transaction that records the money, under the order's lock."""
    moved = _move(order_id, OrderState.PAID, OrderEvent.PAID, paid_at=timezone.now())
    if moved:
        events.order_paid.emit(order_id=order_id)
    return moved


@transaction.atomic(savepoint=False)
def mark_payment_failed(order_id: int, reason: str) -> bool:
    """pending -> payment_failed; `reason` is told to the customer."""
    moved = _move(order_id, OrderState.PAYMENT_FAILED, OrderEvent.PAYMENT_FAILED, reason)
    if moved:
        events.payment_failed.emit(order_id=order_id)
    return moved


@transaction.atomic(savepoint=False)
def cancel_order(order_id: int, reason: str) -> bool:
    """pending | payment_failed -> cancelled; `reason` is told to the customer."""
    moved = _move(order_id, OrderState.CANCELLED, OrderEvent.CANCELLED, reason, cancelled_at=timezone.now())
    if moved:
        events.order_cancelled.emit(order_id=order_id)
    return moved


@transaction.atomic
def call_off(order_id: int, reason: str) -> bool:
    """paid | processing -> cancelled, by a review, with the goods back on the shelf. The money is for the app above.

    It is no step of `TRANSITIONS`: nobody else cancels what is paid.
    """
    here = Order.objects.filter(pk=order_id, state__in=STILL_HERE)
    if not here.update(state=OrderState.CANCELLED, cancelled_at=timezone.now()):
        return False
    OrderLog.objects.create(order_id=order_id, event=OrderEvent.CANCELLED, detail=reason)
    events.order_cancelled.emit(order_id=order_id)
    stock.take_back(order_id)
    return True


@transaction.atomic
def reopen(order_id: int) -> bool:
    """payment_failed -> pending, holding stock again for what was released. Raises OutOfStock: nothing changed then.

    It emits no event: whoever reopens an order asks for its payment in the same transaction.
    """
    failed = Q(state=OrderState.PAYMENT_FAILED)
    moved = _move(order_id, OrderState.PENDING, OrderEvent.REOPENED, only=failed)
    if moved:
        stock.reserve(Order(pk=order_id))
    return moved


@transaction.atomic
def reopen_overdue(order_id: int) -> bool:
    """cancelled -> pending for money that came late, if the order was cancelled for nothing but NOT_PAID_IN_TIME.

    What its log says last decides. It holds stock again and emits no event, as `reopen`. Raises OutOfStock.
    """
    overdue = Q(state=OrderState.CANCELLED, pk__in=selectors.cancelled_as_overdue(order_id))
    moved = _move(order_id, OrderState.PENDING, OrderEvent.REOPENED, "paid late", only=overdue, cancelled_at=None)
    if moved:
        stock.reserve(Order(pk=order_id))
    return moved


@transaction.atomic(savepoint=False)
def insist_on_cancellation(order_id: int, reason: str) -> None:
    """Give an order that was cancelled as overdue another reason, so that late money does not undo it; once.

    Call it under the order's lock.
    """
    if selectors.cancelled_as_overdue(order_id).exists():
        OrderLog.objects.create(order_id=order_id, event=OrderEvent.CANCELLED, detail=reason)


@transaction.atomic
def begin_processing(order_id: int) -> None:
    """paid -> processing, taking the goods off the shelf; a repetition finds nothing to do. Raises StockNotHeld."""
    if _move(order_id, OrderState.PROCESSING, OrderEvent.PROCESSING):
        stock.commit(order_id)


@transaction.atomic(savepoint=False)
def mark_shipped(order_id: int, parcel: str) -> bool:
    """processing -> shipped; `parcel` names carrier and number in the log. `shipping.ship` records the parcel."""
    moved = _move(order_id, OrderState.SHIPPED, OrderEvent.SHIPPED, parcel)
    if moved:
        events.order_shipped.emit(order_id=order_id)
    return moved


@transaction.atomic(savepoint=False)
def mark_delivered(order_id: int) -> bool:
    """shipped -> delivered."""
    moved = _move(order_id, OrderState.DELIVERED, OrderEvent.DELIVERED)
    if moved:
        events.order_delivered.emit(order_id=order_id)
    return moved


def _move(
    order_id: int, state: OrderState, event: OrderEvent, detail: str = "", *, only: Q | None = None, **changes: Any
) -> bool:
    """Move the order if it is in a state that `states.TRANSITIONS` allows (and is one of `only`), and log it."""
    movable = Order.objects.filter(pk=order_id, state__in=states_before(state))
    moved = bool(movable.filter(only or Q()).update(state=state, **changes))
    if moved:
        OrderLog.objects.create(order_id=order_id, event=event, detail=detail)
    return moved
