"""The locks of this app: the order first, its payment second (the whole order of locks: orders/locks.py)."""

from django.db import transaction

from orders.locks import lock_order
from orders.models import Order

from .models import Payment


def lock_payment(payment_id: int) -> tuple[Order, Payment]:
    """Lock the payment's order, then the payment, until the caller's transaction ends.

    Raises Payment.DoesNotExist, and RuntimeError outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("lock_payment() needs a transaction: wrap it in transaction.atomic()")
    order_id = Payment.objects.values_list("order_id", flat=True).get(pk=payment_id)
    order = lock_order(order_id)
    return order, Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
