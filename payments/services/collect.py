"""Taking an order's money: intent first, then the gateway, then the outcome. Never twice, never forgotten.

The intent row with its idempotency key is committed before the gateway is called, and no transaction is open
during the call. Whoever finds an intent that was submitted before asks the gateway first: see `questions.py`.
"""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from orders.locks import lock_order
from orders.models import Order
from orders.services import lifecycle
from orders.states import UNPAID, OrderState
from queues.postgres.conflicts import again_on_conflict

from ..errors import GatewayNotConfigured, OrderNotPayable, PaymentInProgress, TokenNotWanted, TokenRequired
from ..events import payment_requested, payment_uncertain
from ..gateways import configured, gateway_named
from ..gateways.base import Charge, ChargeStatus, GatewayRefused, GatewayUnavailable, GatewayUnknown, plain
from ..models import Payment, PaymentEvent
from ..selectors import intent_of, open_payment, waiting_payment
from ..states import Ending, EventKind, PaymentState
from . import endings, holds
from .questions import verify
from .review import ask_for_review
from .settle import settle


@again_on_conflict
def request_payment(order: Order, payment_token: str, gateway: str = "") -> Payment:
    """Let the customer pay (again), with this token or by confirming at the gateway; a job makes the intent there.

    A payment that waits for its customer is given up for another one, which is sent when the first has ended.
    Raises GatewayNotConfigured, TokenRequired, TokenNotWanted, OrderNotPayable, PaymentInProgress and, if the goods
    are gone meanwhile, OutOfStock.
    """
    gateway = _chosen(gateway, payment_token)
    with transaction.atomic():
        order = lock_order(order.pk)
        if order.state not in UNPAID:
            raise OrderNotPayable
        pending = open_payment(order.pk)
        if pending:
            return _replace(order, pending, payment_token, gateway)
        payment = _write_wish(order, payment_token, gateway)
        payment_requested.emit(order_id=order.pk)
        if order.state == OrderState.PAYMENT_FAILED:
            lifecycle.reopen(order.pk)  # last: it locks stock
    return payment


def _replace(order: Order, pending: Payment, payment_token: str, gateway: str) -> Payment:
    """Give a pending payment up for another one; under the order's lock."""
    if pending.ending == Ending.CANCEL:
        raise OrderNotPayable
    wanted = waiting_payment(order.pk) or pending
    if pending.state != PaymentState.PENDING or (wanted.gateway, wanted.payment_token) == (gateway, payment_token):
        raise PaymentInProgress
    endings.give_up(pending, Ending.REPLACE)
    return _write_wish(order, payment_token, gateway, PaymentState.WAITING)


def charge(order_id: int) -> None:
    """Charge what the order owes, if it has a payment token. Safe to repeat; raises Snooze while unknown."""
    payment, first_time = _submit_intent(order_id)
    if payment is None:
        return
    if not first_time:
        return verify(payment.pk) if payment.state == PaymentState.SUBMITTED else None
    try:
        proof = gateway_named(payment.gateway).charge(intent_of(payment))
    except (GatewayUnavailable, GatewayUnknown) as error:
        _report_uncertain(payment, error)
    except GatewayRefused as error:
        _report_refused(payment, error)
    else:
        settle(payment.pk, proof)


def _chosen(gateway: str, payment_token: str) -> str:
    """The gateway asked for or the shop's own, if it can be paid with in this way."""
    gateway = gateway or settings.PAYMENT_GATEWAY
    if gateway not in configured():
        raise GatewayNotConfigured
    if gateway_named(gateway).needs_token and not payment_token:
        raise TokenRequired({"payment_token": "This gateway needs one."})
    if payment_token and not gateway_named(gateway).takes_tokens:
        raise TokenNotWanted({"payment_token": "With this gateway the customer pays in its checkout."})
    return gateway


def _submit_intent(order_id: int) -> tuple[Payment | None, bool]:
    """Commit the intent to charge before the gateway hears of it. The flag says whether this call did it."""
    with transaction.atomic():
        order = lock_order(order_id)
        payment = open_payment(order_id)
        if payment is None and _first_wanted(order):
            payment = _write_intent(order, order.payment_token, settings.PAYMENT_GATEWAY)
        if payment is None or payment.state != PaymentState.CREATED:
            return payment, False
        if order.state != OrderState.PENDING:
            Payment.objects.advance(payment, PaymentState.CANCELLED, reason=f"the order is {order.state}")
            return None, False
        now = timezone.now()
        Payment.objects.advance(payment, PaymentState.SUBMITTED, submitted_at=now, key_used_at=now)
        _record(payment, EventKind.SUBMITTED)
    return payment, True


def _first_wanted(order: Order) -> bool:
    """True if the order came with a token that was never tried; later payments are asked for by `request_payment`."""
    return bool(order.state == OrderState.PENDING and order.payment_token and not order.payments.exists())


def _write_wish(order: Order, payment_token: str, gateway: str, state: PaymentState = PaymentState.CREATED) -> Payment:
    """What the customer wants now, also as the order's token."""
    Order.objects.filter(pk=order.pk).update(payment_token=payment_token)
    return _write_intent(order, payment_token, gateway, state)


def _write_intent(
    order: Order, payment_token: str, gateway: str, state: PaymentState = PaymentState.CREATED
) -> Payment:
    return Payment.objects.create(
        order=order,
        state=state,
        amount_paise=order.total_paise,
        currency=order.currency,
        gateway=gateway,
        payment_token=payment_token,
        held=holds.is_wanted(order),
    )


def _report_uncertain(payment: Payment, error: Exception) -> None:
    """The outcome is not known: nothing is given up, a job asks the gateway."""
    if isinstance(error, GatewayUnknown) and error.kept:
        payment.spoil_key()
    with transaction.atomic():
        _record(payment, EventKind.UNCERTAIN, error=plain(f"{type(error).__name__}: {error}"))
        payment_uncertain.emit(payment_id=payment.pk, order_id=payment.order_id)


def _report_refused(payment: Payment, error: GatewayRefused) -> None:
    """The very first request was not accepted, so there is nothing at the gateway: it fails, and a person looks why."""
    told = Charge(
        ChargeStatus.DECLINED, payment.idempotency_key, 0, payment.currency, "The gateway does not accept this payment."
    )
    with transaction.atomic():
        settle(payment.pk, told)
        ask_for_review(payment, plain(f"refused: {error}"))


def _record(payment: Payment, kind: EventKind, **detail: str) -> None:
    PaymentEvent.objects.create(
        payment=payment,
        kind=kind,
        amount_paise=payment.amount_paise,
        dedupe_key=f"{payment.idempotency_key}:{kind}",
        detail=detail,
    )
