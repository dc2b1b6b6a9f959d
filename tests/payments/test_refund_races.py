"""Rivals on the exact line: refund against refund, and the proof that the race is real."""

import threading
from typing import Any

import pytest
from django.db.models import F

from payments.errors import RefundExceedsCapture
from payments.gateways.base import RefundResult, RefundStatus
from payments.gateways.simulated import SimulatedGateway
from payments.models import Payment, Refund
from payments.services import refunds

from .factories import PRICE_PAISE, captured_payment, place
from .rivals import Rival, at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_refund_submitted_twice_at_once_is_settled_once(monkeypatch: pytest.MonkeyPatch, status: str):
    payment = captured_payment(place())
    refund, other = (refunds.refund(payment.pk, 100, "test") for _ in range(2))
    result = RefundResult(RefundStatus(status), "re_1")

    def be_overtaken(*arguments: Any) -> RefundResult:
        monkeypatch.setattr(SimulatedGateway, "refund", lambda *arguments: result)
        refunds.submit(refund.pk)
        return result

    monkeypatch.setattr(SimulatedGateway, "refund", be_overtaken)
    refunds.submit(refund.pk)

    refund.refresh_from_db()
    payment.refresh_from_db()
    assert (refund.state, other.state) == (status, "requested")
    assert payment.refunded_paise == (200 if status == "succeeded" else 100)


def test_refunds_at_once_stay_within_the_capture():
    payment = captured_payment(place())

    rivals = at_once(*[lambda: refunds.refund(payment.pk, PRICE_PAISE // 2 + 1, "test")] * 3)

    payment.refresh_from_db()
    assert [type(rival.error) for rival in rivals if rival.error] == [RefundExceedsCapture] * 2
    assert payment.refunded_paise == Refund.objects.get().amount_paise == PRICE_PAISE // 2 + 1


def test_refund_waits_for_a_rival_between_its_lock_and_its_promise(monkeypatch: pytest.MonkeyPatch):
    payment = captured_payment(place())
    promise, rivals = refunds.open_refund, []

    def promise_with_a_rival(*arguments: Any) -> Refund:
        monkeypatch.setattr(refunds, "open_refund", promise)
        rivals.append(Rival(lambda: refunds.refund(payment.pk, PRICE_PAISE, "the rival's")).start())
        assert rivals[0].is_held_up()
        return promise(*arguments)

    monkeypatch.setattr(refunds, "open_refund", promise_with_a_rival)
    refunds.refund(payment.pk, PRICE_PAISE, "mine")

    with pytest.raises(RefundExceedsCapture):
        rivals[0].finish()
    assert Refund.objects.get().reason == "mine"


def test_without_its_condition_the_ledger_would_promise_too_much():
    """The proof that the refund race is real: read, check and write without lock or condition."""
    payment = captured_payment(place())

    def promise_naively() -> None:
        left = Payment.objects.get(pk=payment.pk).refundable_paise
        assert left >= PRICE_PAISE
        at_the_line.wait(10)
        Refund.objects.create(payment=payment, amount_paise=PRICE_PAISE, reason="naive")

    at_the_line = threading.Barrier(2)
    at_once(promise_naively, promise_naively)

    assert sum(Refund.objects.values_list("amount_paise", flat=True)) == 2 * PRICE_PAISE
    with pytest.raises(Exception, match="payment_refunded_within_captured"):
        Payment.objects.filter(pk=payment.pk).update(refunded_paise=F("refunded_paise") + 2 * PRICE_PAISE)
