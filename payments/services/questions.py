"""Asking a gateway what became of a payment, and believing it. Unknown is asked, never guessed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from orders.locks import lock_order
from orders.states import UNPAID
from queues import Snooze

from ..events import payment_confirmed
from ..gateways import gateway_named
from ..gateways.base import Charge, ChargeStatus, GatewayRefused, GatewayUnavailable, GatewayUnknown
from ..models import Payment
from ..selectors import intent_of, next_question
from ..states import UNDECIDED, PaymentState
from . import endings
from .review import ask_for_review
from .settle import may_still_capture, settle


def verify(payment_id: int) -> None:
    """Ask until the payment is decided, and settle it. Raises Snooze while the gateway or the customer does not say."""
    payment = Payment.objects.get(pk=payment_id)
    if payment.state not in UNDECIDED:
        return
    asked = _ask if payment.state == PaymentState.SUBMITTED else _fetch
    proof = _answer(payment, asked)
    settled = settle(payment.pk, proof) if proof else payment
    if settled.state in UNDECIDED:
        raise Snooze(next_question(_sent_at(settled)), f"the payment is {settled.state}")


def check(payment_id: int) -> bool:
    """Ask once, whatever the state: somebody says that something happened. True if the gateway knows the payment."""
    payment = Payment.objects.get(pk=payment_id)
    if payment.submitted_at is None:
        return False
    proof = _answer(payment, _fetch)
    if proof:
        settle(payment.pk, proof)
    return proof is not None


def check_other(payment_id: int, reference: str) -> bool:
    """Ask about an intent that bears our payment's name beside the one that we know, as two tries may leave behind.

    Only money counts: it is the payment's, or, where that has money already, given back.
    """
    payment = Payment.objects.get(pk=payment_id)
    other = replace(intent_of(payment), reference=reference)
    proof = _answer(payment, lambda p: gateway_named(p.gateway).fetch(other))
    if proof and proof.status == ChargeStatus.CAPTURED:
        settle(payment.pk, proof)
    return proof is not None


def capture(payment_id: int) -> None:
    """Take authorized money, unless it is held for a review or can no longer pay its order. Safe to repeat."""
    payment = Payment.objects.get(pk=payment_id)
    if payment.state == PaymentState.AUTHORIZED:
        wanted = not payment.held
    else:
        wanted = payment.state in (PaymentState.DECLINED, PaymentState.CANCELLED) and _still_pays(payment)
    if wanted:
        settle(payment.pk, _sure(payment, lambda p: gateway_named(p.gateway).capture(intent_of(p))))


def void(payment_id: int) -> None:
    """Cancel an authorization, also one that came late, or a pending intent that nobody wants.

    Safe to repeat; money that came first is settled instead. A pending one that the gateway no longer cancels goes on,
    and its customer's wish is dropped.
    """
    payment = Payment.objects.select_related("order").get(pk=payment_id)
    if not _is_to_be_voided(payment):
        return
    try:
        proof = _sure(payment, lambda p: gateway_named(p.gateway).cancel(intent_of(p)))
    except GatewayRefused:
        if not payment.ending:
            raise
        return _take_back(payment)
    settle(payment.pk, proof)


def _is_to_be_voided(payment: Payment) -> bool:
    if payment.state == PaymentState.PENDING:
        return bool(payment.ending) or payment.order.state not in UNPAID
    ended = payment.state in (PaymentState.DECLINED, PaymentState.CANCELLED)
    return payment.state == PaymentState.AUTHORIZED or (ended and endings.is_given_up_as_late(payment))


def give_up_capture(payment_id: int) -> None:
    """Nobody will try again by itself: a person has to look before the authorization lapses."""
    with transaction.atomic():
        payment = Payment.objects.get(pk=payment_id)
        if payment.state == PaymentState.AUTHORIZED:
            ask_for_review(payment, "authorized money could not be captured")


def told_by_customer(payment: Payment) -> None:
    """The storefront says that its customer has paid: a job asks the gateway."""
    with transaction.atomic():
        payment_confirmed.emit(payment_id=payment.pk, order_id=payment.order_id)


def _ask(payment: Payment) -> Charge:
    """Fetch; where the gateway has not heard of the intent, send it again.

    The same key makes that safe while the first request is still on its way. A key that the gateway may have
    forgotten, or that has an error for an answer, is never sent again: a new generation takes its place, or, once the
    order's time to pay is over, the intent is cancelled.
    """
    gateway, found = gateway_named(payment.gateway), _fetch(payment)
    if found is not None:
        return found
    if not payment.may_repeat_key:
        if timezone.now() - payment.order.placed_at > settings.PAYMENT_WINDOW:
            return gateway.cancel(intent_of(payment))
        payment.renew_key()
    try:
        return gateway.charge(intent_of(payment))
    except GatewayUnknown as error:
        if error.kept:
            payment.spoil_key()
        raise


def _fetch(payment: Payment) -> Charge | None:
    return gateway_named(payment.gateway).fetch(intent_of(payment))


def _answer(payment: Payment, question: Callable[[Payment], Charge | None]) -> Charge | None:
    try:
        return question(payment)
    except (GatewayUnavailable, GatewayUnknown) as error:
        raise Snooze(next_question(_sent_at(payment)), str(error)) from error


def _sure(payment: Payment, question: Callable[[Payment], Charge]) -> Charge:
    proof = _answer(payment, question)
    assert proof is not None
    return proof


def _still_pays(payment: Payment) -> bool:
    with transaction.atomic():
        return may_still_capture(lock_order(payment.order_id), payment)


def _take_back(payment: Payment) -> None:
    with transaction.atomic():
        lock_order(payment.order_id)
        endings.take_back(payment)


def _sent_at(payment: Payment) -> datetime:
    return payment.submitted_at or payment.created_at
