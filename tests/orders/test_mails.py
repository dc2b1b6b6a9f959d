from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from notifications.models import Notification
from orders.models import Order
from orders.services import invoicing, lifecycle, mails
from tests.orders.shop import make_order, make_paid_order, make_product, make_user

pytestmark = pytest.mark.django_db

PLACED_AT = datetime(2026, 11, 22, 23, 30, tzinfo=ZoneInfo("Asia/Kolkata"))


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def order() -> Order:
    make_product("RICE", price_paise=74_900)
    order = make_order(("RICE", 2), customer=make_user(email="priya@example.in"))
    Order.objects.filter(pk=order.pk).update(placed_at=PLACED_AT)
    return order


def context_of(kind: str) -> dict[str, Any]:
    context: dict[str, Any] = Notification.objects.get(kind=kind).context
    return context


def test_the_confirmation_tells_what_was_ordered_and_until_when_to_pay(order: Order):
    mails.send_order_confirmation(order.pk)

    assert context_of("order_confirmation") == {
        "order_id": order.pk,
        "name": "Priya Sharma",
        "lines": [{"name": "Rice of Bharat", "quantity": 2, "total": "₹1,498.00"}],
        "total": "₹1,498.00",
        "shop": "BharatMart",
        "reason": "",
        "invoice_number": "",
        "pay_before": "23 Nov 2026, 12:30 am",
    }
    (sent,) = mail.outbox
    assert sent.to == ["priya@example.in"]
    assert str(order.pk) in sent.subject
    assert "₹1,498.00" in sent.body


def test_who_sent_a_token_is_not_asked_to_pay(order: Order):
    Order.objects.update(payment_token="tok_success")

    mails.send_order_confirmation(order.pk)

    assert context_of("order_confirmation")["pay_before"] == ""
    assert "tok_success" not in str(Notification.objects.values())


def test_a_repeated_job_sends_one_mail(order: Order):
    lifecycle.mark_payment_failed(order.pk, "insufficient funds")

    for _ in range(2):
        mails.send_order_confirmation(order.pk)
        mails.send_payment_failed(order.pk)

    assert len(mail.outbox) == 2


def test_every_failure_has_its_own_mail(order: Order):
    for reason in ("insufficient funds", "card expired"):
        lifecycle.mark_payment_failed(order.pk, reason)
        mails.send_payment_failed(order.pk)
        lifecycle.reopen(order.pk)

    assert [("insufficient funds" in m.body, "card expired" in m.body) for m in mail.outbox] == [
        (True, False),
        (False, True),
    ]


def test_a_failed_payment_may_be_repeated_until_the_order_is_cancelled(order: Order):
    lifecycle.mark_payment_failed(order.pk, "insufficient funds")
    lifecycle.cancel_order(order.pk, "not paid in time")

    mails.send_payment_failed(order.pk)
    mails.send_order_cancelled(order.pk)

    assert context_of("payment_failed")["pay_before"] == ""
    assert context_of("order_cancelled")["reason"] == "not paid in time"


def test_the_receipt_brings_the_invoice():
    order = make_paid_order()
    invoice = invoicing.generate_invoice(order.pk)

    mails.send_payment_receipt(order.pk, invoice.pk)
    mails.send_payment_receipt(order.pk, invoice.pk)

    (sent,) = mail.outbox
    ((name, content, kind),) = sent.attachments
    assert (name, kind) == (invoice.file_name, "application/pdf")
    with invoice.pdf.open("rb") as file:
        assert content == file.read()
    assert context_of("payment_receipt")["invoice_number"] == invoice.number
