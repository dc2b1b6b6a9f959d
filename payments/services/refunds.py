"""Giving money back: a ledger that never promises more than was captured, and the call that keeps the promise."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from orders.events import order_refund_failed, order_refunded
from queues import Snooze

from ..errors import RefundExceedsCapture
from ..events import refund_requested
from ..gateways import gateway_named
from ..gateways.base import GatewayUnavailable, GatewayUnknown, RefundResult, RefundStatus
from ..locks import lock_payment
from ..models import Payment, PaymentEvent, Refund
from ..selectors import next_question
from ..states import REFUND_SOURCES, EventKind, RefundState
from .review import ask_for_review


def refund(payment_id: int, amount_paise: int, reason: str, wish: str = "") -> Refund:
    """Promise to give a part of a captured payment back or all of it; a job makes the call.

    The same `wish` (at most 200 characters) is promised once, however often it is sent. Raises ValueError for an
    amount that is not positive and RefundExceedsCapture.
    """
    with transaction.atomic():
        _, payment = lock_payment(payment_id)
        promised = Refund.objects.filter(payment=payment, idempotency_key=f"refund-{wish}").first() if wish else None
        return promised or open_refund(payment, amount_paise, reason, wish)


def open_refund(payment: Payment, amount_paise: int, reason: str, wish: str = "") -> Refund:
    """The same inside the caller's transaction, for a payment that it has locked."""
    if amount_paise <= 0:
        raise ValueError(f"a refund must be above 0 paise, got {amount_paise}")
    left = F("captured_paise") - F("refunded_paise")
    covered = Payment.objects.alias(left=left).filter(pk=payment.pk, left__gte=amount_paise)
    if not covered.update(refunded_paise=F("refunded_paise") + amount_paise):
        raise RefundExceedsCapture
    payment.refresh_from_db()
    named = {"idempotency_key": f"refund-{wish}"} if wish else {}
    made = Refund.objects.create(payment=payment, amount_paise=amount_paise, reason=reason[:255], **named)
    _record(made, EventKind.REFUND_REQUESTED, reason=reason)
    refund_requested.emit(refund_id=made.pk, order_id=payment.order_id)
    return made


def submit(refund_id: int) -> None:
    """Have the gateway give the money back. Safe to repeat: the key is stable. Raises Snooze while unknown."""
    made = Refund.objects.select_related("payment").get(pk=refund_id)
    if made.state != RefundState.REQUESTED:
        return
    try:
        result = _ask(made)
    except (GatewayUnavailable, GatewayUnknown) as error:
        if isinstance(error, GatewayUnknown) and error.kept:
            made.spoil_key()
        raise Snooze(next_question(made.created_at), str(error)) from error
    _settle(made, result)
    if result.status == RefundStatus.PENDING:
        raise Snooze(next_question(made.created_at), "the gateway is still at it")


def check(refund_id: int) -> None:
    """Ask once, whatever the state: a refund that succeeded may still come back."""
    made = Refund.objects.select_related("payment").get(pk=refund_id)
    try:
        result = _fetch(made)
    except (GatewayUnavailable, GatewayUnknown) as error:
        raise Snooze(next_question(made.created_at), str(error)) from error
    if result:
        _settle(made, result)


def give_up(refund_id: int) -> None:
    """Nobody will try again by itself: a person has to look. The promise stands."""
    with transaction.atomic():
        made = Refund.objects.select_related("payment").get(pk=refund_id)
        if made.state == RefundState.REQUESTED:
            ask_for_review(made.payment, f"refund {made.pk} could not be made")


def _ask(made: Refund) -> RefundResult:
    """Send the refund, or ask where the gateway has it already or the key must not be sent again."""
    if made.gateway_reference or not made.may_repeat_key:
        found = _fetch(made)
        if found is not None:
            return found
        made.renew_key()
    elif made.key_used_at is None:
        Refund.objects.filter(pk=made.pk, key_used_at=None).update(key_used_at=timezone.now())
    payment = made.payment
    gateway = gateway_named(payment.gateway)
    return gateway.refund(payment.gateway_reference, made.amount_paise, made.key, made.idempotency_key)


def _fetch(made: Refund) -> RefundResult | None:
    gateway = gateway_named(made.payment.gateway)
    return gateway.fetch_refund(made.payment.gateway_reference, made.idempotency_key, made.gateway_reference)


def _settle(made: Refund, result: RefundResult) -> None:
    """Write the outcome down, once; a refund that failed gives its amount back to the ledger."""
    with transaction.atomic():
        lock_payment(made.payment_id)
        if result.status == RefundStatus.PENDING:
            Refund.objects.filter(pk=made.pk, gateway_reference="").update(gateway_reference=result.reference)
        elif result.status == RefundStatus.SUCCEEDED:
            _succeed(made, result)
        else:
            _fail(made, result)


def _succeed(made: Refund, result: RefundResult) -> None:
    if _advance(made, RefundState.SUCCEEDED, result):
        _record(made, EventKind.REFUNDED, reason=result.reason)
        order_refunded.emit(order_id=made.payment.order_id, refund_id=made.pk, amount_paise=made.amount_paise)


def _fail(made: Refund, result: RefundResult) -> None:
    if _advance(made, RefundState.FAILED, result):
        Payment.objects.filter(pk=made.payment_id).update(refunded_paise=F("refunded_paise") - made.amount_paise)
        _record(made, EventKind.REFUND_FAILED, reason=result.reason)
        ask_for_review(made.payment, f"refund {made.pk} failed")
        order_refund_failed.emit(order_id=made.payment.order_id, refund_id=made.pk, reason=result.reason)


def _advance(made: Refund, state: RefundState, result: RefundResult) -> bool:
    """Move the refund if its state leads there; what was known of its reference stays known."""
    reference = result.reference or made.gateway_reference
    movable = Refund.objects.filter(pk=made.pk, state__in=REFUND_SOURCES[state])
    return bool(movable.update(state=state, gateway_reference=reference, settled_at=timezone.now()))


def _record(made: Refund, kind: EventKind, reason: str) -> None:
    PaymentEvent.objects.create(
        payment_id=made.payment_id,
        kind=kind,
        amount_paise=made.amount_paise,
        dedupe_key=f"{made.idempotency_key}:{kind}",
        detail={"refund": made.pk, "reason": reason},
    )
