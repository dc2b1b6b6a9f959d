"""Comparing our books with the gateways', payment by payment, for five days after each was sent.

It finds what no webhook and no poll has told: money that came and is not recorded, amounts that differ, refunds that
somebody made elsewhere. The first is settled; the others are for a person to look at.
"""

import logging
import time
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from ..gateways import gateway_named
from ..gateways.base import Charge, ChargeStatus, GatewayError
from ..models import Payment, Reconciliation, Refund
from ..selectors import intent_of, payments_to_reconcile
from ..states import PaymentState, RefundState
from .review import ask_for_review
from .settle import settle

log = logging.getLogger(__name__)
MOST_AT_ONCE = 100
LONGEST = 30.0  # seconds, well within the queue's timeout; the next run goes on
KEPT = timedelta(days=30)


def reconcile() -> Reconciliation | None:
    """Ask about the payments that are due, and write the report; None if there are none."""
    due = payments_to_reconcile(MOST_AT_ONCE)
    if not due:
        return None
    Reconciliation.objects.filter(started_at__lt=timezone.now() - KEPT).delete()
    report, end = Reconciliation.objects.create(), time.monotonic() + LONGEST
    for payment in due:
        if time.monotonic() < end:
            _reconcile(report, payment)
    report.finished_at = timezone.now()
    report.save()
    log.info(
        "reconciled %s payments: %s settled, %s differing, %s unanswered",
        *(report.asked, report.settled, report.differing, report.unanswered),
    )
    return report


def _reconcile(report: Reconciliation, payment: Payment) -> None:
    report.asked += 1
    try:
        found = gateway_named(payment.gateway).fetch(intent_of(payment))
    except GatewayError as error:
        report.unanswered += 1
        report.findings.append(f"payment {payment.pk}: {type(error).__name__}")
        return
    Payment.objects.filter(pk=payment.pk).update(reconciled_at=timezone.now())
    if found and settle(payment.pk, found).state != payment.state:
        report.settled += 1
        report.findings.append(f"payment {payment.pk}: {payment.state} here, {found.status} there")
    differences = list(_differences(Payment.objects.get(pk=payment.pk), found))
    if differences:
        _give_to_review(report, payment, differences)


def _give_to_review(report: Reconciliation, payment: Payment, differences: list[str]) -> None:
    report.differing += 1
    report.findings += [f"payment {payment.pk}: {difference}" for difference in differences]
    with transaction.atomic():
        for difference in differences:
            ask_for_review(payment, difference)


def _differences(payment: Payment, found: Charge | None) -> Iterable[str]:
    """Where the books differ and settling cannot help. Amounts are in paise."""
    if payment.state != PaymentState.CAPTURED:
        return
    found = _of_this_payment(payment, found)
    if found is None or found.status != ChargeStatus.CAPTURED:
        yield f"captured here, {found.status if found else 'unheard of'} there"
        return
    if found.amount_paise != payment.captured_paise:
        yield f"{payment.captured_paise} captured here, {found.amount_paise} there"
    if found.refunded_paise > payment.refunded_paise:
        yield f"{payment.refunded_paise} refunded here, {found.refunded_paise} there"
    if found.refunded_paise < _surely_refunded(payment):
        yield f"{_surely_refunded(payment)} refunded here, {found.refunded_paise} there"


def _of_this_payment(payment: Payment, found: Charge | None) -> Charge | None:
    """Of several successes under one intent the one that this payment stands for; another may be named first."""
    successes = (found, *found.others) if found else ()
    return next((success for success in successes if success.reference == payment.gateway_reference), found)


def _surely_refunded(payment: Payment) -> int:
    """What the gateway has confirmed to us."""
    done = Refund.objects.filter(payment=payment, state=RefundState.SUCCEEDED)
    return int(done.aggregate(paise=Sum(F("amount_paise"), default=0))["paise"])
