"""Taking an order's money: intent first, then the gateway, then the outcome. Never twice, never forgotten.

The intent row with its idempotency key is committed before the gateway is called, and no transaction is open
during the call. Whoever finds an intent that was submitted before asks the gateway first: see `verify`.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from orders.locks import lock_order
from orders.models import Order
from orders.services import lifecycle
from orders.states import UNPAID, OrderState
from queues import Snooze

from ..errors import OrderNotPayable, PaymentInProgress
from ..events import payment_requested, payment_uncertain
from ..gateways import gateway_named
from ..gateways.base import Charge, GatewayUnavailable, GatewayUnknown, plain
from ..models import Payment, PaymentEvent
from ..selectors import intent_of, next_question, open_payment
from ..states import EventKind, PaymentState
from .settle import settle

KEY_LIFETIME = timedelta(hours=23)  # gateways forget idempotency keys after a day


def request_payment(order: Order, payment_token: str) -> Payment:
    """Let the customer pay (again) with this token; a job charges it.

    Raises OrderNotPayable, PaymentInProgress and, if the goods are gone meanwhile, OutOfStock.
    """
    with transaction.atomic():
        order = lock_order(order.pk)
        if order.state not in UNPAID:
            raise OrderNotPayable
        if open_payment(order.pk):
            raise PaymentInProgress
        Order.objects.filter(pk=order.pk).update(payment_token=payment_token)
        payment = _write_intent(order, payment_token)
        payment_requested.emit(order_id=order.pk)
        if order.state == OrderState.PAYMENT_FAILED:
            lifecycle.reopen(order.pk)  # last: it locks stock
    return payment


def charge(order_id: int) -> None:
    """Charge what the order owes, if it has a payment token. Safe to repeat; raises Snooze while unknown."""
    payment, first_time = _submit_intent(order_id)
    if payment is None:
        return
    if not first_time:
        return verify(payment.pk)
    try:
        proof = gateway_named(payment.gateway).charge(intent_of(payment))
    except (GatewayUnavailable, GatewayUnknown) as error:
        _report_uncertain(payment, error)
    else:
        settle(payment.pk, proof)


def verify(payment_id: int) -> None:
    """Ask the gateway what became of a submitted payment, and settle it. Raises Snooze while it does not say."""
    payment = Payment.objects.get(pk=payment_id)
    if payment.state != PaymentState.SUBMITTED:
        return
    try:
        proof = _ask(payment)
    except (GatewayUnavailable, GatewayUnknown) as error:
        raise Snooze(next_question(_submitted_at(payment)), str(error)) from error
    settle(payment.pk, proof)


def _ask(payment: Payment) -> Charge:
    """Fetch; where the gateway has not heard of the intent, send it again.

    The same key makes that safe while the first request is still on its way. A key that the gateway may have
    forgotten is cancelled instead.
    """
    gateway, intent = gateway_named(payment.gateway), intent_of(payment)
    found = gateway.fetch(intent)
    if found is not None:
        return found
    young = timezone.now() - _submitted_at(payment) < KEY_LIFETIME
    return gateway.charge(intent) if young else gateway.cancel(intent)


def _submit_intent(order_id: int) -> tuple[Payment | None, bool]:
    """Commit the intent to charge before the gateway hears of it. The flag says whether this call did it."""
    with transaction.atomic():
        order = lock_order(order_id)
        payment = open_payment(order_id)
        if payment is None and _first_wanted(order):
            payment = _write_intent(order, order.payment_token)
        if payment is None or payment.state == PaymentState.SUBMITTED:
            return payment, False
        if order.state != OrderState.PENDING:
            Payment.objects.advance(payment, PaymentState.CANCELLED, reason=f"the order is {order.state}")
            return None, False
        Payment.objects.advance(payment, PaymentState.SUBMITTED, submitted_at=timezone.now())
        _record(payment, EventKind.SUBMITTED)
    return payment, True


def _first_wanted(order: Order) -> bool:
    """True if the order came with a token that was never tried; later payments are asked for by `request_payment`."""
    return bool(order.state == OrderState.PENDING and order.payment_token and not order.payments.exists())


def _write_intent(order: Order, payment_token: str) -> Payment:
    return Payment.objects.create(
        order=order, amount_paise=order.total_paise, currency=order.currency, payment_token=payment_token
    )


def _report_uncertain(payment: Payment, error: Exception) -> None:
    """The outcome is not known: nothing is given up, a job asks the gateway."""
    with transaction.atomic():
        _record(payment, EventKind.UNCERTAIN, error=plain(f"{type(error).__name__}: {error}"))
        payment_uncertain.emit(payment_id=payment.pk, order_id=payment.order_id)


def _record(payment: Payment, kind: EventKind, **detail: str) -> None:
    PaymentEvent.objects.create(
        payment=payment,
        kind=kind,
        amount_paise=payment.amount_paise,
        dedupe_key=f"{payment.idempotency_key}:{kind}",
        detail=detail,
    )


def _submitted_at(payment: Payment) -> datetime:
    assert payment.submitted_at is not None  # a submitted payment has one
    return payment.submitted_at
