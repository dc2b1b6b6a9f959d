import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from notifications.models import Notification
from orders import jobs
from orders.models import DailyFigures, DailyReport, DailySales
from orders.services import reports
from queues.definitions import recurrence
from queues.models import Job
from queues.testing import drain
from tests.orders.shop import make_product, make_user

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def staff() -> None:
    make_user(email="boss@example.in", is_staff=True)
    make_user(email="gone@example.in", is_staff=True, is_active=False)
    make_user(email="shopper@example.in")


def sell(day: date = DAY, **fields: Any) -> None:
    DailyFigures.objects.create(day=day, **{"orders": 3, "revenue_paise": 12_345_600} | fields)


def report() -> Any:
    reports.make_daily_report(DAY)
    drain(queue="email")
    return mail.outbox[-1]


def test_the_mail_tells_the_day_with_a_chart_in_html_and_text():
    sell(cancelled=2, refunds=1, refunded_paise=50_000)
    sell(DAY - timedelta(days=1), revenue_paise=6_172_800)
    rice = make_product("RICE", name="Rice & <b>more</b>")
    DailySales.objects.create(day=DAY, product=rice, category="Grocery", units=7, revenue_paise=700_000)

    sent = report()

    html = sent.alternatives[0][0]
    assert sent.to == ["boss@example.in"]
    assert sent.subject == "BharatMart on Sun 22 Nov 2026: 3 orders, ₹1,23,456.00"
    assert "Sun 22  ########################  ₹1,23,456.00" in sent.body
    assert "Sat 21  ############              ₹61,728.00" in sent.body
    assert "Mon 16                            ₹0.00" in sent.body
    assert 'width="100%" cellpadding="0" cellspacing="0"><tr><td style="background:#0f4c5c' in html
    assert 'width="50%" cellpadding="0" cellspacing="0"><tr><td style="background:#0f4c5c' in html
    assert "Rice &amp; &lt;b&gt;more&lt;/b&gt;" in html
    for said in ("7 x Rice & <b>more</b>: ₹7,000.00", "Grocery: 7 pieces", "Cancelled      2", "1, ₹500.00"):
        assert said in sent.body


def test_the_csv_has_every_product_and_runs_no_formula():
    for number in range(12):
        name = "=HYPERLINK(1)" if number == 0 else "धान"
        product = make_product(f"P{number:02d}", name=name)
        DailySales.objects.create(day=DAY, product=product, category="Grocery", units=number + 1, revenue_paise=105)

    ((name, content, kind),) = report().attachments

    rows = list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))
    assert (name, kind, len(rows)) == ("sales-2026-11-22.csv", "text/csv", 12)
    assert rows[0]["product"] == "'=HYPERLINK(1)"
    assert rows[11] == {
        "day": "2026-11-22", "sku": "P11", "product": "धान", "category": "Grocery", "units": "12",
        "revenue_paise": "105",
    }  # fmt: skip


def test_a_day_without_sales_is_reported_too():
    assert "Revenue        ₹0.00" in report().body


def test_one_mail_a_day_however_often_it_runs():
    for _ in range(3):
        jobs.daily_report()
        drain(queue="email")
        jobs.mail_daily_report(DailyReport.objects.get().pk)

    assert len(mail.outbox) == Notification.objects.count() == 1
    assert Job.objects.filter(name="orders.mail_daily_report").count() == 1
    assert DailyReport.objects.get().day == timezone.localdate() - timedelta(days=1)


def test_those_named_get_it_and_one_refusal_keeps_it_from_nobody(settings: Any, monkeypatch: pytest.MonkeyPatch):
    settings.REPORT_RECIPIENTS = ["broken@example.in", "cfo@example.in"]
    reports.make_daily_report(DAY)
    send = reports.send

    def refusing(**message: Any) -> None:
        if message["to"].startswith("broken"):
            raise OSError("no such host")
        send(**message)

    monkeypatch.setattr(reports, "send", refusing)
    with pytest.raises(OSError, match="no such host"):
        reports.mail_daily_report(DailyReport.objects.get().pk)

    assert [sent.to for sent in mail.outbox] == [["cfo@example.in"]]


def test_it_is_made_at_nine_in_india():
    at = timezone.localtime(recurrence.next_due(jobs.daily_report, timezone.now()))

    assert (at.hour, at.minute, str(at.tzinfo)) == (9, 0, "Asia/Kolkata")
    assert (jobs.daily_report.queue, jobs.mail_daily_report.queue) == ("reports", "email")
