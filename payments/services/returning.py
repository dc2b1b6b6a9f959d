"""Giving back what returned goods have cost, once a return, and the credit notes of all refunds."""

from django.db import transaction
from django.db.models import F

from orders.locks import lock_order
from orders.models import ReturnRequest
from orders.services import crediting, return_money

from ..models import Payment, PaymentEvent, Refund
from ..states import EventKind, PaymentState, RefundState
from . import refunds
from .review import ask_for_review


def refund_return(return_id: int) -> None:
    """Promise the refund, unless it is promised. Where less is left than the goods have cost, a person decides."""
    with transaction.atomic():
        wanted = ReturnRequest.objects.get(pk=return_id)
        lock_order(wanted.order_id)
        wanted.refresh_from_db()
        if wanted.refund_number is not None:
            return
        left = F("captured_paise") - F("refunded_paise")
        captured = Payment.objects.filter(order_id=wanted.order_id, state=PaymentState.CAPTURED).alias(left=left)
        payment = captured.order_by("-left", "pk").first()
        if payment is None or payment.refundable_paise < wanted.amount_paise:
            return _leave_to_staff(wanted, payment)
        made = refunds.refund(payment.pk, wanted.amount_paise, str(wanted))
        return_money.note_refund(return_id, made.pk)


def credit(refund_id: int) -> None:
    """Have the credit note written; money that came back, or never paid the order, has no part in its invoice."""
    made = Refund.objects.select_related("payment").get(pk=refund_id)
    if made.state != RefundState.FAILED and not _was_never_the_orders(made):
        crediting.issue(made.payment.order_id, refund_id, made.amount_paise)


def _leave_to_staff(wanted: ReturnRequest, payment: Payment | None) -> None:
    reason = "less is left to refund than its goods have cost"
    if return_money.mark_unpaid(wanted, reason) and payment:
        ask_for_review(payment, f"{wanted}: {reason}")


def _was_never_the_orders(made: Refund) -> bool:
    """`settle()` gives back money that does not fit, and asks for a review with the same reason."""
    reviewed = PaymentEvent.objects.filter(payment=made.payment, kind=EventKind.NEEDS_REVIEW)
    return reviewed.filter(detail__reason=made.reason).exists()
