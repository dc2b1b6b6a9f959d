"""A small shop whose orders have come to their ends, told as a run tells it; tests break it by hand."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from orders.models import Order, Stock
from payments.gateways.base import Charge, ChargeStatus
from payments.services.settle import settle
from queues.testing import drain, make_due
from tests.orders.shop import make_order, make_product, make_user
from tests.payments.factories import submitted_payment
from tests.smtp_sink import SmtpSink

from .buyers import Accepted
from .evidence import Evidence, Mail
from .look import Row
from .plan import SCENARIOS

PAID, DECLINED = SCENARIOS[0], SCENARIOS[1]


def ask(query: str) -> list[Row]:
    """The rows of a query, in the test's own transaction."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        if not cursor.description:
            return []
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture
def evidence(db: None, settings: Settings, tmp_path: Path) -> Evidence:
    """Two orders: one paid, one declined and cancelled; every promise is kept."""
    settings.MEDIA_ROOT = str(tmp_path)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with SmtpSink() as sink:
        settings.EMAIL_PORT = sink.port
        for sku in ("RICE", "TEA"):
            make_product(sku)
        initial = dict(Stock.objects.values_list("product_id", "on_hand"))
        customer = make_user()
        paid = make_order(("RICE", 2), customer=customer)
        declined = make_order(("TEA", 1), customer=customer)
        book = [_charge(paid, ChargeStatus.CAPTURED), _charge(declined, ChargeStatus.DECLINED)]
        drain()
        make_due(name="payments.auto_cancel")
        drain()
        ask("DELETE FROM queues_outbox WHERE withdrawn")  # the dispatcher's part
    accepted = [Accepted(paid.pk, PAID), Accepted(declined.pk, DECLINED)]
    return Evidence(ask, accepted, initial, book, mails_in(sink), media=tmp_path)


def mails_in(sink: SmtpSink) -> list[Mail]:
    return [Mail(str(mail["Message-ID"]), str(mail["Subject"]), _pdfs(mail)) for mail in sink.mails]


def _charge(order: Order, status: ChargeStatus) -> dict[str, Any]:
    """Charge it at the gateway; the entry in its book."""
    payment, reference = submitted_payment(order), f"ch_{order.pk}"
    settle(payment.pk, Charge(status, reference, order.total_paise, "INR", ""))
    facts = {"key": payment.idempotency_key, "reference": reference, "amount_paise": order.total_paise}
    return {"effect": "charge", "status": str(status), **facts}


def _pdfs(mail: Any) -> int:
    return sum(part.get_content_type() == "application/pdf" for part in mail.iter_attachments())
