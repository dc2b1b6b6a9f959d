"""A refund that the gateway has confirmed is told once: to the books, to webhooks, to its customer."""

import pytest
from django.core import mail

from payments.gateways.base import RefundResult, RefundStatus
from payments.gateways.simulated import SimulatedGateway
from payments.models import Payment, Refund
from payments.services import mails, refunds
from queues.models import Job
from queues.testing import drain

from .factories import captured_payment, place
from .rivals import at_once

pytestmark = pytest.mark.django_db(transaction=True)
TOLD = ["orders.count_refund", "payments.refund_issued", "webhooks.order_refunded"]


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> list[RefundStatus]:
    """What the gateway says of every refund: the last of these."""
    said = [RefundStatus.SUCCEEDED]
    for ask in ("refund", "fetch_refund"):
        monkeypatch.setattr(SimulatedGateway, ask, lambda *arguments: RefundResult(said[-1], "re_1"))
    return said


def told() -> list[str]:
    return list(Job.objects.filter(name__in=TOLD).order_by("name").values_list("name", flat=True))


def make_refund(amount_paise: int = 9_900) -> Refund:
    return refunds.refund(captured_payment(place()).pk, amount_paise, "staff only: a difficult customer")


def test_confirmed_refund_is_told_once_with_its_amount():
    refund = make_refund()
    assert told() == []

    refunds.submit(refund.pk)
    refunds.submit(refund.pk)
    refunds.check(refund.pk)

    assert told() == TOLD
    args = Job.objects.get(name="orders.count_refund").args
    assert args == {"order_id": refund.payment.order_id, "refund_id": refund.pk, "amount_paise": 9_900}


def test_refund_that_several_confirm_at_once_is_told_once():
    refund = make_refund()

    at_once(*[lambda: refunds.submit(refund.pk), lambda: refunds.check(refund.pk)] * 3)

    assert told() == TOLD


def test_refund_that_is_under_way_is_told_when_it_has_come(answers: list[RefundStatus]):
    answers.append(RefundStatus.PENDING)
    refund = make_refund()
    refunds.check(refund.pk)
    assert told() == []

    answers.append(RefundStatus.SUCCEEDED)
    refunds.check(refund.pk)

    assert told() == TOLD


def test_refund_that_fails_is_not_told(answers: list[RefundStatus]):
    answers.append(RefundStatus.FAILED)

    refunds.submit(make_refund().pk)

    assert told() == []


def test_refund_that_a_bank_sends_back_was_told_once(answers: list[RefundStatus]):
    refund = make_refund()
    refunds.submit(refund.pk)

    answers.append(RefundStatus.FAILED)
    refunds.check(refund.pk)
    answers.append(RefundStatus.SUCCEEDED)
    refunds.check(refund.pk)

    assert told() == TOLD


def test_customer_gets_one_mail_with_the_amount_and_without_the_staffs_reason():
    refund = make_refund()
    refunds.submit(refund.pk)

    drain(queue="email")
    mails.send_refund_issued(refund.pk)

    order = Payment.objects.get(refunds=refund).order
    (sent,) = [sent for sent in mail.outbox if sent.subject.startswith("Refund")]
    assert sent.to == [order.email]
    assert sent.subject == f"Refund for order {order.pk}: ₹99.00"
    assert "₹99.00" in sent.body
    assert "difficult" not in sent.body
