"""Questions about payments that change nothing."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from .gateways import gateway_named
from .gateways.base import Intent
from .models import Payment
from .models.payment import BESIDE
from .states import PaymentState

LONGEST_WAIT = timedelta(minutes=10)
RECONCILED_FOR = timedelta(days=5)
RECONCILED_EVERY = timedelta(days=1)
SETTLES_BY_ITSELF = timedelta(minutes=10)


def open_payment(order_id: int) -> Payment | None:
    """The payment of this order whose outcome is not known yet; there is at most one."""
    return Payment.objects.open().filter(order_id=order_id).first()


def waiting_payment(order_id: int) -> Payment | None:
    """The payment of this order that waits for the end of the one before it; there is at most one."""
    return Payment.objects.filter(order_id=order_id, state=PaymentState.WAITING).first()


def payments_of(order_id: int) -> QuerySet[Payment]:
    """An order's payments with their refunds, the newest first."""
    return Payment.objects.filter(order_id=order_id).prefetch_related("refunds").order_by("-pk")


def payments_of_customer(user: AbstractBaseUser | AnonymousUser) -> QuerySet[Payment]:
    """The payments of a customer's own orders."""
    return Payment.objects.filter(order__customer_id=user.pk).prefetch_related("refunds")


def intent_of(payment: Payment) -> Intent:
    """The payment in the words of the gateways."""
    return Intent(
        key=payment.key,
        name=payment.idempotency_key,
        amount_paise=payment.amount_paise,
        currency=payment.currency,
        token=payment.payment_token,
        reference=payment.intent_reference,
        order_id=payment.order_id,
        hold=payment.held,
        since=payment.submitted_at,
    )


def in_flight(payment: Payment) -> bool:
    """True while a charge may be under way: asked for or sent so lately that its caller may still wait for it."""
    call = timedelta(seconds=2 * settings.GATEWAY_TIMEOUT)  # connect and read may take that long each
    return timezone.now() - (payment.submitted_at or payment.created_at) < call


def next_question(since: datetime) -> float:
    """Seconds to wait before the gateway is asked again: the wait doubles, from 2 s to 10 minutes."""
    waited = (timezone.now() - since).total_seconds()
    return min(max(waited, 2.0), LONGEST_WAIT.total_seconds())


def client_facts_of(payment: Payment) -> dict[str, str]:
    """What the storefront needs so that the customer can confirm a pending payment; {} when there is nothing to do."""
    if payment.state != PaymentState.PENDING or payment.ending:
        return {}
    return gateway_named(payment.gateway).client_facts(payment.intent_reference, payment.client_secret)


def payments_to_reconcile(most: int) -> list[Payment]:
    """Those sent in the last five days that were not asked about for a day, the longest ago first."""
    now = timezone.now()
    due = Q(reconciled_at=None) | Q(reconciled_at__lt=now - RECONCILED_EVERY)
    young = Payment.objects.filter(due, submitted_at__gt=now - RECONCILED_FOR, submitted_at__lt=now - SETTLES_BY_ITSELF)
    own = young.exclude(idempotency_key__startswith=BESIDE)
    return list(own.order_by(F("reconciled_at").asc(nulls_first=True), "pk")[:most])
