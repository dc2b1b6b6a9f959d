"""Returned goods are paid back: once, through the refund ledger, never above what was captured."""

from pathlib import Path

import pytest
from pytest_django import Settings

from orders.models import CreditNote
from orders.services import invoicing
from payments.models import Payment, Refund
from payments.services import refunds, returning
from payments.services.settle import settle
from queues.models import Job
from queues.testing import drain

from .factories import PRICE_PAISE, captured_payment, place, proof, received_return, submitted_payment
from .gateway_process import GatewayProcess
from .rivals import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_return_is_paid_back_credited_and_then_refunded(gateway: GatewayProcess, settings: Settings, tmp_path: Path):
    settings.MEDIA_ROOT = tmp_path
    order = place("tok_success")
    drain(queue="payment")
    payment = Payment.objects.get()
    wanted = received_return(payment)

    drain(queue="payment")
    drain(queue="order")

    wanted.refresh_from_db()
    payment.refresh_from_db()
    assert (wanted.state, wanted.refund_number) == ("refunded", Refund.objects.get().pk)
    assert payment.refunded_paise == PRICE_PAISE
    assert CreditNote.objects.get().lines.get().quantity == 1
    assert order.log.filter(event="return_refunded").count() == 1


def test_a_repeated_job_gives_the_money_back_once():
    payment = captured_payment(place())
    Payment.objects.update(captured_paise=2 * PRICE_PAISE)
    wanted = received_return(payment)

    for _ in range(2):
        returning.refund_return(wanted.pk)

    refund = Refund.objects.get()
    assert (refund.amount_paise, refund.reason) == (PRICE_PAISE, f"return {wanted.pk}")


def test_jobs_at_once_give_the_money_back_once():
    payment = captured_payment(place())
    Payment.objects.update(captured_paise=4 * PRICE_PAISE)
    wanted = received_return(payment)

    at_once(*[lambda: returning.refund_return(wanted.pk)] * 4)

    assert Refund.objects.count() == 1


def test_where_too_little_is_left_a_person_decides():
    payment = captured_payment(place())
    refunds.refund(payment.pk, 1, "kindness")
    wanted = received_return(payment)

    for _ in range(2):
        returning.refund_return(wanted.pk)

    wanted.refresh_from_db()
    assert (wanted.state, wanted.refund_number) == ("unpaid", None)
    assert "less is left" in wanted.unpaid_because
    assert Refund.objects.count() == 1
    assert Job.objects.filter(name="payments.open_review").count() == 1


def test_a_refund_of_an_invoiced_order_is_credited_once(settings: Settings, tmp_path: Path):
    settings.MEDIA_ROOT = tmp_path
    payment = captured_payment(place())
    invoicing.generate_invoice(payment.order_id)
    made = refunds.refund(payment.pk, 100, "kindness")

    for _ in range(2):
        returning.credit(made.pk)

    note = CreditNote.objects.get()
    assert (note.refund_number, note.amount_paise, note.invoice.order_id) == (made.pk, 100, payment.order_id)


def test_money_that_never_paid_the_order_is_not_credited(settings: Settings, tmp_path: Path):
    settings.MEDIA_ROOT = tmp_path
    payment = captured_payment(place())
    invoicing.generate_invoice(payment.order_id)
    second = settle(submitted_payment(payment.order).pk, proof("captured", reference="ch_2"))

    returning.credit(Refund.objects.get(payment=second).pk)

    assert not CreditNote.objects.exists()
