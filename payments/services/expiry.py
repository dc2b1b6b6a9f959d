"""Ending an order that is not paid: never blindly, never while money may be on its way."""

import logging
from collections import defaultdict

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from orders.locks import lock_order
from orders.models import Order
from orders.services import lifecycle
from orders.states import NOT_PAID_IN_TIME, UNPAID, OrderState
from queues import Snooze
from queues.models import Job
from queues.ops import actions
from queues.postgres.conflicts import again_on_conflict
from queues.states import LIVE, JobState

from ..errors import OrderNotCancellable, PaymentInProgress
from ..events import order_overdue
from ..gateways import gateway_named
from ..gateways.base import GatewayUnavailable, GatewayUnknown
from ..models import Payment
from ..selectors import in_flight, intent_of, next_question, open_payment
from ..states import UNDECIDED, Ending, PaymentState
from . import endings
from .endings import BY_CUSTOMER
from .settle import settle

log = logging.getLogger(__name__)


def cancel_unpaid(order_id: int, reason: str = NOT_PAID_IN_TIME) -> None:
    """Cancel the order if it is still unpaid at the end of its payment window, or not wanted for another reason.

    An intent that the gateway has or may yet get is cancelled there first; money that it took meanwhile is
    settled instead. Raises Snooze while a charge is under way or the gateway does not answer.
    """
    payment = open_payment(order_id)
    if payment and in_flight(payment):
        raise Snooze(settings.GATEWAY_TIMEOUT, "a charge is under way")
    if payment and payment.state == PaymentState.AUTHORIZED:
        raise Snooze(next_question(payment.created_at), "authorized money waits for its capture or a review")
    if payment and payment.state in UNDECIDED:
        _cancel_intent(payment)
    with transaction.atomic():
        order = lock_order(order_id)
        if order.state not in UNPAID:
            return
        rival = open_payment(order_id)
        if rival and (rival.state != PaymentState.CREATED or in_flight(rival)):
            raise Snooze(settings.GATEWAY_TIMEOUT, "a charge has just begun")
        _cancel_order(order, reason)


def retry_given_up() -> list[int]:
    """Let the auto-cancels of overdue unpaid orders that ended as failed run again; the ids of those jobs.

    One that an operator has cancelled is left alone, and so is an order whose auto-cancel is still to come. An order
    of whose auto-cancel the ledger knows nothing any more gets another.
    """
    known = defaultdict[int, dict[str, int]](dict)
    overdue = Order.objects.filter(state__in=UNPAID, placed_at__lt=timezone.now() - settings.PAYMENT_WINDOW)
    keys = {f"cancel-{order_id}": order_id for order_id in overdue.values_list("pk", flat=True)}
    for key, state, pk in Job.objects.filter(key__in=keys).values_list("key", "state", "pk"):
        known[keys[key or ""]][state] = pk
    for order_id in keys.values():
        if not known[order_id].keys() - {JobState.COMPLETED}:
            _ask_for_another(order_id)
    dead = [jobs for jobs in known.values() if JobState.FAILED in jobs and not jobs.keys() & set(LIVE)]
    return actions.retry_jobs([jobs[JobState.FAILED] for jobs in dead], actor="payments.retry_auto_cancels")


def _ask_for_another(order_id: int) -> None:
    log.warning("order %s is overdue, and no job is there to cancel it", order_id)
    with transaction.atomic():
        order_overdue.emit(order_id=order_id)


@again_on_conflict
def cancel_by_customer(order: Order) -> Order:
    """Cancel an unpaid order at its customer's wish; one that is cancelled stays so. PostgreSQL only.

    One whose payment waits for its customer is cancelled when a job has ended that at the gateway.
    Raises PaymentInProgress while a charge is under way, OrderNotCancellable once it is paid.
    """
    with transaction.atomic():
        order = lock_order(order.pk)
        if order.state not in (*UNPAID, OrderState.CANCELLED):
            raise OrderNotCancellable
        _cancel_at_once_or_later(order)
    order.refresh_from_db()
    return order


def _cancel_at_once_or_later(order: Order) -> None:
    payment = open_payment(order.pk)
    if order.state == OrderState.CANCELLED:
        lifecycle.insist_on_cancellation(order.pk, BY_CUSTOMER)
    elif payment is None or payment.state == PaymentState.CREATED:
        _cancel_order(order, BY_CUSTOMER)
    elif payment.state == PaymentState.PENDING:
        endings.give_up(payment, Ending.CANCEL)
    else:
        raise PaymentInProgress


def _cancel_intent(payment: Payment) -> None:
    """Have the gateway void the intent, and believe what it says has become of it."""
    try:
        proof = gateway_named(payment.gateway).cancel(intent_of(payment))
    except (GatewayUnavailable, GatewayUnknown) as error:
        raise Snooze(next_question(payment.created_at), str(error)) from error
    settle(payment.pk, proof)


def _cancel_order(order: Order, reason: str) -> None:
    """Under the order's lock, with no payment submitted; one that was not sent yet never will be."""
    endings.drop_unsent(order.pk, reason)
    lifecycle.cancel_order(order.pk, reason)
