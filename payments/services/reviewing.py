"""Between payments and reviews: a matter of money opens one, and its decision lets the money go or gives it up."""

import hashlib

from django.conf import settings
from django.db import transaction

from orders.events import review_decided
from orders.locks import lock_order
from orders.models import ReviewItem
from orders.services import lifecycle, review
from orders.services.review import Matter
from orders.states import HOLDS_ORDER, STILL_HERE, ReviewKind, ReviewState

from ..events import payment_authorized
from ..models import Payment
from ..states import EventKind, PaymentState
from . import expiry, holds, questions, refunds

HELD = "held above the limit"
REFUSED = "we could not accept it"
MONEY_MATTERS = (*HOLDS_ORDER, ReviewKind.PAYMENT_DISCREPANCY)


def open_for_payment(payment_id: int, reason: str) -> ReviewItem:
    """Open the review that `payment_needs_review` asks for; one decided before is carried out again, by a job."""
    payment = Payment.objects.select_related("order").get(pk=payment_id)
    item = review.open_review(_matter(payment, reason))
    if item.state != ReviewState.OPEN:
        with transaction.atomic():
            review_decided.emit(order_id=item.order_id, review_id=item.pk)
    return item


def carry_out(review_id: int) -> None:
    """Do what the review has decided about money. Safe to repeat; raises Snooze while the gateway does not answer."""
    item = ReviewItem.objects.get(pk=review_id)
    if item.kind not in MONEY_MATTERS:
        return
    payment = Payment.objects.open().filter(order_id=item.order_id).first()
    authorized = payment if payment and payment.state == PaymentState.AUTHORIZED else None
    if item.state == ReviewState.APPROVED:
        if authorized:
            _let_go(authorized)
    elif item.kind in HOLDS_ORDER or (authorized and authorized.pk == item.payment_number):
        _refuse(item, authorized)


def _matter(payment: Payment, reason: str) -> Matter:
    deadline = None
    if payment.state == PaymentState.AUTHORIZED:
        deadline = payment.events.filter(kind=EventKind.AUTHORIZED).earliest("pk").at + settings.REVIEW_WINDOW
    kind, key = ReviewKind.PAYMENT_DISCREPANCY, hashlib.sha256(reason.encode()).hexdigest()[:16]
    if reason == HELD and not holds.is_high(payment.order):
        return Matter(
            payment.order_id,
            ReviewKind.SUSPICIOUS,
            review.suspicion_key(payment.order_id),
            ("its money is held",),
            payment.pk,
            deadline,
        )
    if reason == HELD:
        kind, key = ReviewKind.HIGH_VALUE, "high"
    return Matter(payment.order_id, kind, f"payment-{payment.pk}-{key}", (reason,), payment.pk, deadline)


def _let_go(payment: Payment) -> None:
    """Once nothing else speaks against it. Money that is not held is tried again: its capture had been given up."""
    with transaction.atomic():
        lock_order(payment.order_id)
        others = ReviewItem.objects.filter(order_id=payment.order_id, kind__in=MONEY_MATTERS)
        concerned = others.filter(payment_number=payment.pk) | others.filter(kind=ReviewKind.SUSPICIOUS)
        if concerned.exclude(state=ReviewState.APPROVED).exists():
            return
        payment.refresh_from_db()
        if not holds.let_go(payment.pk) and payment.state == PaymentState.AUTHORIZED:
            payment_authorized.emit(payment_id=payment.pk, order_id=payment.order_id)


def _refuse(item: ReviewItem, authorized: Payment | None) -> None:
    """Give up what is authorized and cancel the order; a person may also call off what is paid and not sent off."""
    if authorized:
        questions.void(authorized.pk)
    expiry.cancel_unpaid(item.order_id, REFUSED)
    if item.state == ReviewState.REJECTED:
        _call_off(item.order_id)


def _call_off(order_id: int) -> None:
    """Order and money are one transaction, so that a repetition finds nothing to do."""
    with transaction.atomic():
        if lock_order(order_id).state not in STILL_HERE:
            return
        for payment in Payment.objects.filter(order_id=order_id, state=PaymentState.CAPTURED):
            if payment.refundable_paise:
                refunds.refund(payment.pk, payment.refundable_paise, REFUSED)
        lifecycle.call_off(order_id, REFUSED)
