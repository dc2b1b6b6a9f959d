"""Reviews: opened once a matter, decided once, by a person or by their deadline.

Whoever decides has the order's lock and finds the item open in its WHERE. What follows from a decision is done by the
jobs that react to `review_decided`; a return request is answered in the same transaction.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from notifications.services import notify

from .. import events, locks, selectors
from ..errors import ReviewClosed
from ..models import OrderLog, ReturnRequest, ReviewItem
from ..states import OrderEvent, ReviewKind, ReviewState
from . import returns

LOGGED = {
    ReviewState.APPROVED: OrderEvent.REVIEW_APPROVED,
    ReviewState.REJECTED: OrderEvent.REVIEW_REJECTED,
    ReviewState.EXPIRED: OrderEvent.REVIEW_EXPIRED,
}


@dataclass(frozen=True)
class Matter:
    """What is to be decided; the same `key` is the same matter. With a deadline, money is held until then."""

    order_id: int
    kind: ReviewKind
    key: str
    reasons: tuple[str, ...]
    payment_number: int | None = None
    deadline_at: datetime | None = None
    return_request_id: int | None = None


@transaction.atomic
def open_review(matter: Matter) -> ReviewItem:
    """The item of the matter; when it is new, staff is told. An open one learns what it did not know."""
    locks.lock_order(matter.order_id)
    facts: dict[str, Any] = {name: value for name, value in vars(matter).items() if name != "key"}
    item, is_new = ReviewItem.objects.get_or_create(key=matter.key, defaults=facts | {"reasons": list(matter.reasons)})
    if is_new:
        _log(item, OrderEvent.REVIEW_OPENED, item.why)
        _tell_staff("review_opened", item)
    elif item.state == ReviewState.OPEN:
        _learn(item, matter)
    return item


def open_suspicion(order_id: int, reasons: list[str]) -> ReviewItem:
    """One item an order, whatever speaks against it and how often."""
    return open_review(Matter(order_id, ReviewKind.SUSPICIOUS, suspicion_key(order_id), tuple(reasons)))


def open_return(return_id: int) -> ReviewItem:
    """A customer wants to send goods back."""
    wanted = ReturnRequest.objects.get(pk=return_id)
    said = (f"return {return_id}: {wanted.reason}",)
    return open_review(
        Matter(wanted.order_id, ReviewKind.RETURN_REQUEST, f"return-{return_id}", said, return_request_id=return_id)
    )


def suspicion_key(order_id: int) -> str:
    return f"suspicious-{order_id}"


def decide(review_id: int, *, approve: bool, by: AbstractBaseUser | AnonymousUser, note: str = "") -> ReviewItem:
    """A person's decision, the first and last. Raises ReviewClosed."""
    verdict = ReviewState.APPROVED if approve else ReviewState.REJECTED
    return _close(review_id, verdict, Q(), decided_by=by, note=note)


def watch_deadlines() -> dict[str, int]:
    """Close what nobody has decided in time, and warn staff, once, of what is next; how many of each."""
    return {"expired": sum(_expire()), "warned": sum(_warn())}


def _expire() -> Iterator[bool]:
    overdue = Q(deadline_at__lte=timezone.now())
    for item in ReviewItem.objects.filter(overdue, state=ReviewState.OPEN).order_by("deadline_at"):
        try:
            _close(item.pk, ReviewState.EXPIRED, overdue)
        except ReviewClosed:
            yield False
        else:
            yield True


def _warn() -> Iterator[bool]:
    now = timezone.now()
    due = ReviewItem.objects.filter(
        state=ReviewState.OPEN, alarmed_at=None, deadline_at__lte=now + settings.REVIEW_ALARM
    )
    for item in due.order_by("deadline_at"):
        with transaction.atomic():
            first = due.filter(pk=item.pk).update(alarmed_at=now) == 1
            if first:
                _tell_staff("review_due", item)
        yield first


@transaction.atomic
def _close(review_id: int, verdict: ReviewState, condition: Q, **facts: Any) -> ReviewItem:
    item = ReviewItem.objects.get(pk=review_id)
    locks.lock_order(item.order_id)
    still_open = ReviewItem.objects.filter(condition, pk=review_id, state=ReviewState.OPEN)
    if not still_open.update(state=verdict, decided_at=timezone.now(), **facts):
        raise ReviewClosed
    item.refresh_from_db()
    who = f" ({item.decided_by})" if item.decided_by else ""
    _log(item, LOGGED[verdict], item.note + who)
    if item.return_request_id:
        returns.answer(item.return_request_id, approve=verdict == ReviewState.APPROVED)
    events.review_decided.emit(order_id=item.order_id, review_id=item.pk)
    return item


def _learn(item: ReviewItem, matter: Matter) -> None:
    item.reasons += [reason for reason in matter.reasons if reason not in item.reasons]
    item.payment_number = matter.payment_number or item.payment_number
    item.deadline_at = matter.deadline_at or item.deadline_at
    item.save(update_fields=("reasons", "payment_number", "deadline_at"))


def _log(item: ReviewItem, event: OrderEvent, detail: str) -> None:
    OrderLog.objects.create(order_id=item.order_id, event=event, detail=f"{item.kind}: {detail}".strip())


def _tell_staff(kind: str, item: ReviewItem) -> None:
    """In the caller's transaction, one mail an address."""
    context = {
        "shop": settings.SHOP_NAME,
        "review_id": item.pk,
        "order_id": item.order_id,
        "kind": ReviewKind(item.kind).label,
        "why": item.why,
        "deadline": f"{timezone.localtime(item.deadline_at):%d %b %Y, %H:%M}" if item.deadline_at else "",
    }
    for address in selectors.staff_addresses():
        notify(kind=kind, to=address, context=context, key=f"{kind}-{item.pk}-{address}"[:200])
