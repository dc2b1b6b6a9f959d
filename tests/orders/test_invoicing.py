import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from orders.errors import NotInvoiceable
from orders.models import DocumentSeries, Invoice, Order
from orders.services import invoicing, lifecycle, numbering
from queues.models import Job
from queues.testing import drain
from tests.orders.shop import at_once, log_of, make_order, make_paid_order, make_product, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def files(media: Path) -> list[str]:
    return sorted(path.name for path in media.rglob("*") if path.is_file())


YEAR = numbering.financial_year(timezone.now())[2:]


def test_a_paid_order_gets_its_invoice(media: Path):
    order = make_paid_order()

    invoice = invoicing.generate_invoice(order.pk)

    assert invoice.number == f"BM/{YEAR}/000001"
    (name,) = files(media)
    assert re.fullmatch(rf"BM-{YEAR}-000001-[0-9a-f]{{12}}\.pdf", name)
    with invoice.pdf.open("rb") as file:
        assert file.read(5) == b"%PDF-"
    assert log_of(order)[-1] == "invoice_issued"
    receipt = Job.objects.get(name="orders.payment_receipt")
    assert receipt.args == {"order_id": order.pk, "invoice_id": invoice.pk}
    assert receipt.subject == f"order-{order.pk}"


def test_a_second_run_issues_nothing_new(media: Path):
    order = make_paid_order()

    first, second = (invoicing.generate_invoice(order.pk) for _ in range(2))

    assert first == second
    assert len(files(media)) == 1
    assert Job.objects.filter(name="orders.payment_receipt").count() == 1
    assert DocumentSeries.objects.get().last_number == 1


def test_an_unpaid_order_gets_none():
    order = make_order()

    with pytest.raises(NotInvoiceable):
        invoicing.generate_invoice(order.pk)

    assert not Invoice.objects.exists()
    assert not DocumentSeries.objects.exists()


class PowerCut(BaseException):
    """Not caught by anything on its way."""


def die(*args: object, **kwargs: object) -> None:
    raise PowerCut


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("crash", ["rendering", "storing", "publishing"])
def test_a_crash_after_the_number_is_finished_under_the_same_number(
    media: Path, monkeypatch: pytest.MonkeyPatch, crash: str
):
    order, other = make_paid_order(), make_paid_order()
    with monkeypatch.context() as patch:
        if crash == "rendering":
            patch.setattr(invoicing, "render_invoice", die)
        elif crash == "storing":
            patch.setattr("django.core.files.storage.FileSystemStorage.save", die)
        else:
            patch.setattr(invoicing.events.invoice_issued, "emit", die)
        with pytest.raises(PowerCut):
            invoicing.generate_invoice(order.pk)
    left_behind = Invoice.objects.get()
    assert not left_behind.pdf
    assert invoicing.generate_invoice(other.pk).number == f"BM/{YEAR}/000002"

    finished = invoicing.generate_invoice(order.pk)

    assert (finished.pk, finished.number) == (left_behind.pk, f"BM/{YEAR}/000001")
    assert (media / str(finished.pdf.name)).exists()
    assert len(files(media)) == 2
    assert log_of(order).count("invoice_issued") == 1
    assert Job.objects.filter(name="orders.payment_receipt").count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_file_that_a_crash_left_half_written_is_written_over(media: Path, monkeypatch: pytest.MonkeyPatch):
    order = make_paid_order()
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(invoicing.events.invoice_issued, "emit", die)
        invoicing.generate_invoice(order.pk)
    (half,) = media.rglob("*.pdf")
    whole = half.read_bytes()
    half.write_bytes(whole[: len(whole) // 2])

    invoice = invoicing.generate_invoice(order.pk)

    assert len(files(media)) == 1
    assert (media / str(invoice.pdf.name)).read_bytes() == whole


def test_an_order_that_was_called_off_before_its_invoice_was_made_needs_none():
    order = make_paid_order()
    lifecycle.call_off(order.pk, "we could not accept it")

    drain(queue="order")

    job = Job.objects.get(name="orders.generate_invoice")
    assert (job.state, job.error) == ("cancelled", "Cancel: the order was called off before its invoice was issued")
    assert not Invoice.objects.exists()
    assert not DocumentSeries.objects.exists()


def test_numbers_have_no_gaps_when_one_is_rolled_back():
    first, second = make_paid_order(), make_paid_order()

    with transaction.atomic():
        assert invoicing._give_number(first.pk).number.endswith("000001")
        transaction.set_rollback(True)

    assert invoicing.generate_invoice(second.pk).number.endswith("000001")
    assert invoicing.generate_invoice(first.pk).number.endswith("000002")


@pytest.mark.parametrize(
    ("at", "year"),
    [
        (datetime(2026, 3, 31, 18, 29, 59, tzinfo=UTC), "2025-26"),  # 23:59:59 in India
        (datetime(2026, 3, 31, 18, 30, tzinfo=UTC), "2026-27"),  # midnight in India
        (datetime(2026, 12, 31, 18, 30, tzinfo=UTC), "2026-27"),
        (datetime(2099, 4, 1, 12, tzinfo=UTC), "2099-00"),
    ],
)
def test_the_financial_year_begins_in_april_in_india(at: datetime, year: str):
    assert numbering.financial_year(at) == year


def test_every_financial_year_counts_from_one(monkeypatch: pytest.MonkeyPatch):
    orders = [make_paid_order() for _ in range(3)]
    end = datetime(2027, 3, 31, 18, 29, tzinfo=UTC)
    numbers = []

    for order, at in zip(orders, (end, end, end + timedelta(minutes=1)), strict=True):
        monkeypatch.setattr("orders.services.invoicing.timezone.now", lambda at=at: at)
        numbers.append(invoicing._give_number(order.pk).number)

    assert numbers == ["BM/26-27/000001", "BM/26-27/000002", "BM/27-28/000001"]


@pytest.mark.django_db(transaction=True)
def test_invoices_at_once_have_numbers_without_gaps():
    make_product("RICE", on_hand=50)
    customer = make_user()
    orders = [make_paid_order(customer=customer) for _ in range(12)]

    at_once([lambda pk=order.pk: invoicing._give_number(pk) for order in orders for _ in range(2)], threads=12)

    numbers = sorted(Invoice.objects.values_list("number", flat=True))
    assert numbers == [f"BM/{YEAR}/{number:06d}" for number in range(1, 13)]


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_issue_one_invoice_and_leave_one_file(media: Path):
    order = make_paid_order()

    invoices = at_once([lambda: invoicing.generate_invoice(order.pk)] * 4, threads=4)

    assert len({(invoice.pk, invoice.number, invoice.pdf.name) for invoice in invoices}) == 1
    assert len(files(media)) == 1
    assert (media / invoices[0].pdf.name).exists()
    assert Job.objects.filter(name="orders.payment_receipt").count() == 1


@pytest.mark.django_db(transaction=True)
def test_no_lock_is_held_while_the_invoice_is_drawn(monkeypatch: pytest.MonkeyPatch):
    order = make_paid_order()
    draw = invoicing.render_invoice

    def others_go_on(data: Any) -> bytes:
        assert not transaction.get_connection().in_atomic_block
        return draw(data)

    monkeypatch.setattr(invoicing, "render_invoice", others_go_on)

    invoicing.generate_invoice(order.pk)
    lifecycle.begin_processing(order.pk)

    assert Order.objects.get().state == "processing"


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_every_kind_of_document_has_its_own_series():
    numbers = [numbering.next_number(prefix, NOW) for prefix in ("BM", "BMC", "BMC", "BM")]

    assert numbers == ["BM/26-27/000001", "BMC/26-27/000001", "BMC/26-27/000002", "BM/26-27/000002"]
    assert all(len(number) <= 16 for number in numbers)


def test_a_number_longer_than_the_law_allows_is_refused():
    DocumentSeries.objects.create(prefix="BMC", year="2026-27", last_number=999_999)

    with pytest.raises(ValueError, match="more than 16"):
        numbering.next_number("BMC", NOW)


@pytest.mark.django_db(transaction=True)
def test_a_number_is_given_only_in_a_transaction():
    with pytest.raises(RuntimeError, match="in the transaction that writes its document"):
        numbering.next_number("BM", NOW)

    assert not DocumentSeries.objects.exists()
