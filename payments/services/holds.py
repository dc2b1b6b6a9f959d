"""Authorized money that waits for a review's word (Payment.held)."""

from django.db import transaction

from ..events import payment_authorized, payment_given_up
from ..locks import lock_payment
from ..models import Payment
from ..states import PaymentState


def let_go(payment_id: int) -> bool:
    """The review is content: a job captures the money. False if there is nothing held."""
    with transaction.atomic():
        _, payment = lock_payment(payment_id)
        held = Payment.objects.filter(pk=payment_id, held=True, state=PaymentState.AUTHORIZED)
        if not held.update(held=False):
            return False
        payment_authorized.emit(payment_id=payment_id, order_id=payment.order_id)
    return True


def refuse(payment_id: int) -> bool:
    """The review is not: a job gives the authorization up. False if there is nothing held."""
    with transaction.atomic():
        _, payment = lock_payment(payment_id)
        if payment.state != PaymentState.AUTHORIZED or not payment.held:
            return False
        payment_given_up.emit(payment_id=payment_id, order_id=payment.order_id)
    return True
