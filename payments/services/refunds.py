"""Giving money back: a ledger that never promises more than was captured, and the call that keeps the promise."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from queues import Snooze

from ..errors import RefundExceedsCapture
from ..events import refund_requested
from ..gateways import gateway_named
from ..gateways.base import GatewayUnavailable, GatewayUnknown, RefundResult, RefundStatus
from ..locks import lock_payment
from ..models import Payment, PaymentEvent, Refund
from ..selectors import next_question
from ..states import EventKind, RefundState


def refund(payment_id: int, amount_paise: int, reason: str) -> Refund:
    """Promise to give a part of a captured payment back or all of it; a job makes the call.

    Raises ValueError for an amount that is not positive and RefundExceedsCapture.
    """
    with transaction.atomic():
        _, payment = lock_payment(payment_id)
        return open_refund(payment, amount_paise, reason)


def open_refund(payment: Payment, amount_paise: int, reason: str) -> Refund:
    """The same inside the caller's transaction, for a payment that it has locked."""
    if amount_paise <= 0:
        raise ValueError(f"a refund must be above 0 paise, got {amount_paise}")
    left = F("captured_paise") - F("refunded_paise")
    covered = Payment.objects.alias(left=left).filter(pk=payment.pk, left__gte=amount_paise)
    if not covered.update(refunded_paise=F("refunded_paise") + amount_paise):
        raise RefundExceedsCapture
    payment.refresh_from_db()
    made = Refund.objects.create(payment=payment, amount_paise=amount_paise, reason=reason[:255])
    _record(made, EventKind.REFUND_REQUESTED, reason=reason)
    refund_requested.emit(refund_id=made.pk, order_id=payment.order_id)
    return made


def submit(refund_id: int) -> None:
    """Have the gateway give the money back. Safe to repeat: the key is stable. Raises Snooze while unknown."""
    made = Refund.objects.select_related("payment").get(pk=refund_id)
    if made.state != RefundState.REQUESTED:
        return
    gateway, reference = gateway_named(made.payment.gateway), made.payment.gateway_reference
    try:
        result = gateway.refund(reference, made.amount_paise, made.idempotency_key)
    except (GatewayUnavailable, GatewayUnknown) as error:
        raise Snooze(next_question(made.created_at), str(error)) from error
    _settle(made, result)


def _settle(made: Refund, result: RefundResult) -> None:
    """Write the outcome down, once; a refund that failed gives its amount back to the ledger."""
    succeeded = result.status == RefundStatus.SUCCEEDED
    state = RefundState.SUCCEEDED if succeeded else RefundState.FAILED
    with transaction.atomic():
        lock_payment(made.payment_id)
        waiting = Refund.objects.filter(pk=made.pk, state=RefundState.REQUESTED)
        if not waiting.update(state=state, gateway_reference=result.reference, settled_at=timezone.now()):
            return
        if not succeeded:
            paid = Payment.objects.filter(pk=made.payment_id)
            paid.update(refunded_paise=F("refunded_paise") - made.amount_paise)
        _record(made, EventKind.REFUNDED if succeeded else EventKind.REFUND_FAILED, reason=result.reason)


def _record(made: Refund, kind: EventKind, reason: str) -> None:
    PaymentEvent.objects.create(
        payment_id=made.payment_id,
        kind=kind,
        amount_paise=made.amount_paise,
        dedupe_key=f"{made.idempotency_key}:{kind}",
        detail={"refund": made.pk, "reason": reason},
    )
