"""Leaving a trace for a person to look at."""

from ..events import payment_needs_review
from ..models import Payment, PaymentEvent
from ..states import EventKind


def ask_for_review(payment: Payment, reason: str) -> None:
    """Once per payment and reason, in the caller's transaction: a line in its history and `payment_needs_review`."""
    _, fresh = PaymentEvent.objects.get_or_create(
        dedupe_key=f"{payment.idempotency_key}:review:{reason}"[:600],
        defaults={"payment": payment, "kind": EventKind.NEEDS_REVIEW, "detail": {"reason": reason}},
    )
    if fresh:
        payment_needs_review.emit(payment_id=payment.pk, order_id=payment.order_id, reason=reason)
