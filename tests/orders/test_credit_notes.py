"""Credit notes: one a refund, without gaps, never above the invoice, adding up to it to the paisa."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from orders import jobs
from orders.models import CreditNote, DocumentSeries, Order, ReturnRequest
from orders.money import Gst, allot, split_gst
from orders.services import crediting, invoicing, numbering, returns
from queues import Snooze
from queues.models import Job
from tests.orders.shop import (
    api,
    at_once,
    content_of,
    log_of,
    make_delivered_order,
    make_order,
    make_paid_order,
    make_product,
    make_user,
    staff,
)

pytestmark = pytest.mark.django_db
YEAR = numbering.financial_year(timezone.now())[2:]


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def make_invoiced_order(state: str = "Karnataka") -> Order:
    """₹31,505.00: three of RICE at 5 %, one MIXER at 18 %."""
    make_product("RICE", on_hand=10, price_paise=10_500, gst_rate=5)
    make_product("MIXER", price_paise=3_119_000, gst_rate=18, hsn="850940")
    order = make_delivered_order(("RICE", 3), ("MIXER", 1), shipping={"state": state})
    invoicing.generate_invoice(order.pk)
    return order


def text_of(note: CreditNote) -> str:
    with note.pdf.open("rb") as file:
        return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(file.read())).pages)


def issued(order: Order, refund: int, paise: int) -> CreditNote:
    note = crediting.issue(order.pk, refund, paise)
    assert note is not None
    return note


def summed(order: Order) -> Gst:
    lines = [line for note in CreditNote.objects.filter(invoice__order=order) for line in note.lines.all()]
    return sum((line.gst for line in lines), Gst())


def tax_of(order: Order) -> Gst:
    within = order.shipping_state == "Karnataka"
    return sum((split_gst(x.total_paise, x.gst_rate, within_state=within) for x in order.lines.all()), Gst())


@pytest.mark.parametrize("state", ["Karnataka", "Kerala"])
def test_a_full_refund_is_credited_like_the_invoice(state: str):
    order = make_invoiced_order(state)

    note = issued(order, 1, order.total_paise)

    assert note.number == f"BMC/{YEAR}/000001"
    assert summed(order) == tax_of(order)
    text = text_of(note)
    for part in ("CREDIT NOTE", note.number, note.invoice.number, order.total.replace("₹", ""), "850940"):
        assert part in text
    assert ("IGST" in text) is (state == "Kerala")


def test_credit_notes_have_a_series_of_their_own_without_gaps():
    order = make_invoiced_order()

    numbers = [issued(order, refund, 100).number for refund in (1, 2)]

    assert numbers == [f"BMC/{YEAR}/000001", f"BMC/{YEAR}/000002"]
    assert dict(DocumentSeries.objects.values_list("prefix", "last_number")) == {"BM": 1, "BMC": 2}


def test_returned_goods_are_credited_by_their_own_lines():
    order = make_invoiced_order()
    wanted = returns.request_return(order.pk, [("RICE", 2)], "stones in it")
    ReturnRequest.objects.filter(pk=wanted.pk).update(refund_number=5)

    note = issued(order, 5, wanted.amount_paise)

    credit = note.lines.get()
    assert (credit.line.sku, credit.quantity, credit.amount_paise) == ("RICE", 2, 21_000)
    assert credit.gst == split_gst(21_000, 5, within_state=True)
    assert "Goods returned" in text_of(note)


def test_a_refund_without_goods_is_divided_over_the_lines():
    order = make_invoiced_order()

    note = issued(order, 1, 10_001)

    parts = list(note.lines.values_list("line__sku", "quantity", "amount_paise"))
    assert parts == [("RICE", 0, 100), ("MIXER", 0, 9_901)]


def test_refunds_in_parts_add_up_to_the_invoice_to_the_paisa():
    order = make_invoiced_order()
    parts = [1, 333, 1_000_001, 17]

    for refund, paise in enumerate([*parts, order.total_paise - sum(parts)]):
        issued(order, refund, paise)

    assert summed(order) == tax_of(order)
    assert crediting.issue(order.pk, 99, 1) is None


def test_a_second_run_issues_nothing_new(media: Path):
    order = make_invoiced_order()

    first, second = issued(order, 1, 100), issued(order, 1, 100)

    assert first == second
    assert len(list(media.rglob("BMC*"))) == 1
    assert Job.objects.filter(name="orders.credit_note").count() == 1
    assert log_of(order).count("credit_note_issued") == 1


@pytest.mark.django_db(transaction=True)
def test_notes_at_once_stay_within_the_invoice():
    order = make_invoiced_order()
    half = order.total_paise // 2 + 1

    notes = at_once([lambda n=n: crediting.issue(order.pk, n, half) for n in range(4)], threads=4)

    assert len([note for note in notes if note]) == 1
    assert DocumentSeries.objects.get(prefix="BMC").last_number == 1


def test_a_crash_after_the_number_is_finished_under_the_same_number(monkeypatch: pytest.MonkeyPatch):
    order = make_invoiced_order()
    with monkeypatch.context() as patch:
        patch.setattr(crediting, "render_credit_note", lambda data: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            crediting.issue(order.pk, 1, 100)

    note = issued(order, 1, 100)

    assert note.number == f"BMC/{YEAR}/000001"
    assert note.pdf


def test_without_an_invoice_there_is_nothing_to_credit():
    assert crediting.issue(make_order().pk, 1, 100) is None

    with pytest.raises(Snooze):
        crediting.issue(make_paid_order().pk, 2, 100)

    assert not DocumentSeries.objects.exists()


def test_the_customer_gets_it_by_mail_once():
    order = make_invoiced_order()
    note = issued(order, 1, 100)

    for _ in range(2):
        jobs.credit_note(note.pk)

    (sent,) = mail.outbox
    assert sent.subject == f"Credit note {note.number} for order {order.pk}"
    assert [attachment[0] for attachment in sent.attachments] == [note.file_name]
    assert "₹1.00" in sent.body


def test_the_customer_alone_downloads_it():
    order = make_invoiced_order()
    note, page = issued(order, 1, 100), f"/api/orders/{order.pk}/credit-notes"

    (listed,) = api(order.customer).get(page).json()

    assert (listed["number"], listed["amount"]) == (note.number, "₹1.00")
    assert content_of(api(order.customer).get(listed["links"]["pdf"])).startswith(b"%PDF-")
    assert api(order.customer).get(f"/api/orders/{order.pk}").json()["links"]["credit_notes"] == page
    assert [api(make_user()).get(address).status_code for address in (page, listed["links"]["pdf"])] == [404, 404]
    assert api(order.customer).get(f"{page}/{note.pk + 1}").status_code == 404


def test_the_admin_shows_it_to_those_who_may_see_it():
    note = issued(make_invoiced_order(), 1, 100)
    seer, other = Client(), Client()
    seer.force_login(staff("view_creditnote"))
    other.force_login(staff("view_order"))

    answer = seer.get(f"/admin/orders/creditnote/{note.pk}/pdf/")

    assert content_of(answer).startswith(b"%PDF-")
    assert note.number in seer.get("/admin/orders/creditnote/").content.decode()
    assert other.get(f"/admin/orders/creditnote/{note.pk}/pdf/").status_code == 404


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=8), st.data())
def test_an_allotment_adds_up_and_gives_nobody_more_than_its_own(shares: list[int], data: st.DataObject):
    amount = data.draw(st.integers(0, sum(shares)))

    parts = allot(amount, shares)

    assert sum(parts) == amount
    assert all(0 <= part <= share for part, share in zip(parts, shares, strict=True))


def test_more_than_there_is_cannot_be_allotted():
    with pytest.raises(ValueError, match="cannot divide"):
        allot(3, [1, 1])
