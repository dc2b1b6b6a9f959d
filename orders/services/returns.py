"""Returns: asked for by the customer, answered by a review, received by staff. Their money: `return_money`.

What was asked for is counted on the order's line in the same transaction, so that never more is returned than was
bought; a rejection counts it back. Every step has the order's lock and the old state in its WHERE.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from .. import events, locks, selectors
from ..errors import (
    DamageExceedsReturn,
    NotInOrder,
    NotReturnable,
    ReturnExceedsOrder,
    ReturnNotExpected,
    ReturnWindowOver,
)
from ..models import Order, OrderLine, OrderLog, ReturnLine, ReturnRequest
from ..states import OrderEvent, OrderState, ReturnState
from . import idempotency, stock
from .idempotency import Answer

Wish = tuple[str, int]
"""An SKU and how many of it."""


@transaction.atomic
def request_return_once(
    *, key: str, body_hash: str, order: Order, wishes: Sequence[Wish], reason: str, render: Callable[[Any], str]
) -> Answer:
    """`request_return` at most once per customer and key; a repetition gets the first answer."""
    given = idempotency.claim(order.customer_id, key, body_hash)
    if given:
        return given
    answer = Answer(201, render(request_return(order.pk, wishes, reason)))
    idempotency.keep(order.customer_id, key, answer)
    return answer


@transaction.atomic
def request_return(order_id: int, wishes: Sequence[Wish], reason: str) -> ReturnRequest:
    """Ask to send goods back; a job has a person look at it.

    Raises NotReturnable, ReturnWindowOver, NotInOrder and ReturnExceedsOrder.
    """
    order = locks.lock_order(order_id)
    _refuse_unreturnable(order)
    pieces = _pieces_by_line(order, wishes)
    for line, quantity in pieces.items():
        _count(line, quantity)
    amount_paise = sum(line.unit_price_paise * quantity for line, quantity in pieces.items())
    wanted = ReturnRequest.objects.create(order=order, reason=reason, amount_paise=amount_paise)
    ReturnLine.objects.bulk_create(
        ReturnLine(return_request=wanted, line=line, quantity=quantity) for line, quantity in pieces.items()
    )
    log(wanted, OrderEvent.RETURN_REQUESTED, reason)
    events.return_requested.emit(order_id=order_id, return_id=wanted.pk)
    return wanted


def answer(return_id: int, *, approve: bool) -> bool:
    """requested -> approved | rejected, in the transaction of the review's decision, under the order's lock."""
    wanted = ReturnRequest.objects.get(pk=return_id)
    state = ReturnState.APPROVED if approve else ReturnState.REJECTED
    if not move(wanted, ReturnState.REQUESTED, state, answered_at=timezone.now()):
        return False
    if not approve:
        for returned in wanted.lines.all():
            OrderLine.objects.filter(pk=returned.line_id).update(returned=F("returned") - returned.quantity)
    log(wanted, OrderEvent.RETURN_APPROVED if approve else OrderEvent.RETURN_REJECTED)
    events.return_answered.emit(order_id=wanted.order_id, return_id=return_id)
    return True


@transaction.atomic
def receive(return_id: int, damaged: Mapping[str, int], by: object) -> ReturnRequest:
    """approved -> received: what is not damaged (pieces by SKU) goes back on the shelf, and the money is asked for.

    A repetition changes nothing. Raises ReturnNotExpected, NotInOrder and DamageExceedsReturn.
    """
    wanted = ReturnRequest.objects.get(pk=return_id)
    locks.lock_order(wanted.order_id)
    if not move(wanted, ReturnState.APPROVED, ReturnState.RECEIVED, received_at=timezone.now()):
        if wanted.state in (ReturnState.RECEIVED, ReturnState.UNPAID, ReturnState.REFUNDED):
            return wanted
        raise ReturnNotExpected
    whole = _whole_pieces(return_id, damaged)
    log(wanted, OrderEvent.RETURN_RECEIVED, f"by {by}")
    events.return_received.emit(order_id=wanted.order_id, return_id=return_id, amount_paise=wanted.amount_paise)
    stock.restock(wanted.order_id, whole)
    return wanted


def _refuse_unreturnable(order: Order) -> None:
    if order.state != OrderState.DELIVERED:
        raise NotReturnable
    if timezone.now() - selectors.last_logged(order.pk, OrderEvent.DELIVERED).at > settings.RETURN_WINDOW:
        raise ReturnWindowOver


def _pieces_by_line(order: Order, wishes: Sequence[Wish]) -> dict[OrderLine, int]:
    lines, wanted = {line.sku: line for line in order.lines.all()}, Counter[str]()
    for sku, quantity in wishes:
        wanted[sku] += quantity
    unknown = {sku: "Not in this order." for sku in wanted if sku not in lines}
    if unknown:
        raise NotInOrder(unknown)
    return {lines[sku]: quantity for sku, quantity in wanted.items()}


def _count(line: OrderLine, quantity: int) -> None:
    left = OrderLine.objects.filter(pk=line.pk, quantity__gte=F("returned") + quantity)
    if not left.update(returned=F("returned") + quantity):
        raise ReturnExceedsOrder({line.sku: f"Only {line.quantity - line.returned} left to return."})


def _whole_pieces(return_id: int, damaged: Mapping[str, int]) -> dict[int, int]:
    """Write down what is damaged; the rest, by product."""
    lines = {returned.line.sku: returned for returned in selectors.return_lines(return_id)}
    unknown = {sku: "Not in this return." for sku in damaged if sku not in lines}
    if unknown:
        raise NotInOrder(unknown)
    for sku, pieces in damaged.items():
        if not 0 <= pieces <= lines[sku].quantity:
            raise DamageExceedsReturn({sku: f"{lines[sku].quantity} are returned."})
        ReturnLine.objects.filter(pk=lines[sku].pk).update(damaged=pieces)
    whole = {r.line.product_id: r.quantity - damaged.get(sku, 0) for sku, r in lines.items()}
    return {product_id: pieces for product_id, pieces in whole.items() if pieces}


def move(wanted: ReturnRequest, before: ReturnState, state: ReturnState, **facts: Any) -> bool:
    """One step, if it is there; `wanted` is read again."""
    moved = ReturnRequest.objects.filter(pk=wanted.pk, state=before).update(state=state, **facts)
    wanted.refresh_from_db()
    return bool(moved)


def log(wanted: ReturnRequest, event: OrderEvent, detail: str = "") -> None:
    """Write the step into the order's log."""
    told = f"return {wanted.pk}" + (f": {detail}" if detail else "")
    OrderLog.objects.create(order_id=wanted.order_id, event=event, detail=told)
