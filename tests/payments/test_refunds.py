"""Refunds: promised within the captured amount, paid out once."""

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from orders.services import lifecycle
from payments.errors import RefundExceedsCapture
from payments.gateways.base import RefundResult, RefundStatus
from payments.gateways.simulated import SimulatedGateway
from payments.jobs import refund_payment
from payments.models import Payment, PaymentEvent, Refund
from payments.services import collect, refunds
from queues import Snooze
from queues.testing import assert_enqueued, drain

from .factories import PRICE_PAISE, captured_payment, place, submitted_payment
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.django_db(transaction=True)


def paid_payment() -> Payment:
    """Paid by the simulated gateway."""
    order = place("tok_success")
    collect.charge(order.pk)
    return Payment.objects.get(order=order, state="captured")


def test_refund_is_promised_and_then_paid_by_the_job(gateway: GatewayProcess):
    payment = paid_payment()

    refund = refunds.refund(payment.pk, 9_900, "one box was broken")
    assert_enqueued(refund_payment, refund_id=refund.pk)
    assert gateway.entries(refund.idempotency_key) == []
    drain(queue="payment")

    refund.refresh_from_db()
    payment.refresh_from_db()
    (entry,) = gateway.entries(refund.idempotency_key)
    assert (refund.state, refund.gateway_reference) == ("succeeded", entry["reference"])
    assert (entry["charge"], entry["amount_paise"]) == (payment.gateway_reference, 9_900)
    assert (payment.refunded_paise, payment.refundable_paise) == (9_900, PRICE_PAISE - 9_900)
    assert list(payment.events.values_list("kind", flat=True))[-2:] == ["refund requested", "refunded"]


def test_refund_job_twice_pays_once(gateway: GatewayProcess):
    refund = refunds.refund(paid_payment().pk, 9_900, "test")

    refunds.submit(refund.pk)
    refunds.submit(refund.pk)

    assert len(gateway.entries(refund.idempotency_key)) == 1
    assert PaymentEvent.objects.filter(kind="refunded").count() == 1


def test_crash_between_refund_and_record_pays_once(gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch):
    refund = refunds.refund(paid_payment().pk, 9_900, "test")
    with monkeypatch.context() as crash:
        crash.setattr(refunds, "_settle", lambda made, result: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            refunds.submit(refund.pk)

    refunds.submit(refund.pk)

    refund.refresh_from_db()
    assert refund.state == "succeeded"
    assert len(gateway.entries(refund.idempotency_key)) == 1


def test_refunds_stop_at_the_captured_amount():
    payment = captured_payment(place())
    refunds.refund(payment.pk, PRICE_PAISE - 1, "most of it")

    with pytest.raises(RefundExceedsCapture):
        refunds.refund(payment.pk, 2, "too much")

    payment.refresh_from_db()
    assert payment.refunded_paise == PRICE_PAISE - 1
    assert Refund.objects.count() == 1
    assert refunds.refund(payment.pk, 1, "the rest").amount_paise == 1


@pytest.mark.parametrize("amount_paise", [0, -1])
def test_refund_of_nothing_is_a_mistake(amount_paise: int):
    payment = captured_payment(place())

    with pytest.raises(ValueError, match="above 0 paise"):
        refunds.refund(payment.pk, amount_paise, "test")

    assert not Refund.objects.exists()


def test_payment_without_capture_cannot_be_refunded():
    payment = submitted_payment(place())

    with pytest.raises(RefundExceedsCapture):
        refunds.refund(payment.pk, 1, "test")

    assert not Refund.objects.exists()


def test_database_refuses_more_than_was_captured():
    payment = captured_payment(place())

    with pytest.raises(IntegrityError, match="payment_refunded_within_captured"), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(refunded_paise=PRICE_PAISE + 1)


def test_failed_refund_gives_its_amount_back_to_the_ledger(monkeypatch: pytest.MonkeyPatch):
    payment = captured_payment(place())
    refund = refunds.refund(payment.pk, PRICE_PAISE, "test")
    refused = RefundResult(RefundStatus.FAILED, reason="account_closed")
    monkeypatch.setattr(SimulatedGateway, "refund", lambda *arguments: refused)

    refunds.submit(refund.pk)
    refunds.submit(refund.pk)

    refund.refresh_from_db()
    payment.refresh_from_db()
    assert (refund.state, payment.refunded_paise) == ("failed", 0)
    assert payment.events.get(kind="refund failed").detail == {"refund": refund.pk, "reason": "account_closed"}


def test_unreachable_gateway_keeps_the_promise(gateway: GatewayProcess, settings: Settings):
    refund = refunds.refund(paid_payment().pk, 100, "test")
    there = settings.SIMULATED_GATEWAY_URL
    settings.SIMULATED_GATEWAY_URL = "http://127.0.0.1:9"

    with pytest.raises(Snooze):
        refunds.submit(refund.pk)
    settings.SIMULATED_GATEWAY_URL = there
    refunds.submit(refund.pk)

    refund.refresh_from_db()
    assert refund.state == "succeeded"


def test_late_money_comes_back_to_the_customer(gateway: GatewayProcess):
    order = place("tok_timeout_after")
    collect.charge(order.pk)
    payment = Payment.objects.get(order=order)
    lifecycle.cancel_order(order.pk, "by an operator, while the outcome was unknown")

    drain(queue="payment")

    payment.refresh_from_db()
    refund = Refund.objects.get(payment=payment)
    assert (payment.state, refund.state, payment.refundable_paise) == ("captured", "succeeded", 0)
    assert gateway.get(f"/charges/{payment.gateway_reference}")["refunded_paise"] == PRICE_PAISE
