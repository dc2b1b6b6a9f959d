"""Authorized money that waits for a review's word (Payment.held)."""

from django.conf import settings
from django.db import transaction

from orders.models import Order
from orders.services import suspicion

from ..events import payment_authorized, payment_given_up
from ..locks import lock_payment
from ..models import Payment
from ..states import PaymentState


def is_wanted(order: Order) -> bool:
    """Whether the order's money is only authorized at first: it is much, or something speaks against the order."""
    return is_high(order) or suspicion.is_doubtful(order)


def is_high(order: Order) -> bool:
    """Strictly above the limit."""
    limit = settings.PAYMENT_HOLD_ABOVE_PAISE
    return bool(limit and order.total_paise > limit)


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
