"""Giving back what returned goods have cost: once a return, from the payment that has enough left."""

from django.db import transaction
from django.db.models import F

from orders.locks import lock_order
from orders.models import ReturnRequest
from orders.services import returns

from ..models import Payment
from ..states import PaymentState
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
        if payment is None:
            return
        if payment.refundable_paise < wanted.amount_paise:
            return ask_for_review(payment, f"{wanted}: less is left to refund than its goods have cost")
        made = refunds.refund(payment.pk, wanted.amount_paise, str(wanted))
        returns.note_refund(return_id, made.pk)
