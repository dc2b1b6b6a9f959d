"""Questions about payments that change nothing."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from .gateways.base import Intent
from .models import Payment

LONGEST_WAIT = timedelta(minutes=10)


def open_payment(order_id: int) -> Payment | None:
    """The payment of this order whose outcome is not known yet; there is at most one."""
    return Payment.objects.open().filter(order_id=order_id).first()


def payments_of(order_id: int) -> QuerySet[Payment]:
    """An order's payments with their refunds, the newest first."""
    return Payment.objects.filter(order_id=order_id).prefetch_related("refunds").order_by("-pk")


def intent_of(payment: Payment) -> Intent:
    """The payment in the words of the gateways."""
    return Intent(
        key=payment.idempotency_key,
        amount_paise=payment.amount_paise,
        currency=payment.currency,
        token=payment.payment_token,
        reference=payment.gateway_reference,
    )


def in_flight(payment: Payment) -> bool:
    """True while a charge may be under way: asked for or sent so lately that its caller may still wait for it."""
    call = timedelta(seconds=2 * settings.GATEWAY_TIMEOUT)  # connect and read may take that long each
    return timezone.now() - (payment.submitted_at or payment.created_at) < call


def next_question(since: datetime) -> float:
    """Seconds to wait before the gateway is asked again: the wait doubles, from 2 s to 10 minutes."""
    waited = (timezone.now() - since).total_seconds()
    return min(max(waited, 2.0), LONGEST_WAIT.total_seconds())
