"""Credit notes: a gap-free number of their own series for every refund of an invoiced order, then the PDF, the news.

A return has one, however often its refund had to be tried and however it was paid at last.

A note never takes more of a line than its invoice has left. Taxes are what the line's taxes grow by, so that the notes
of an order that is wholly refunded add up to its invoice to the paisa. A crash is finished under the same number.
"""

from collections.abc import Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from queues import Snooze

from .. import events, locks, selectors
from ..invoices import render_credit_note
from ..invoices.credit_note import CreditNoteData
from ..models import CreditNote, CreditNoteLine, Invoice, Order, OrderLine, OrderLog, ReturnRequest
from ..money import allot, split_gst
from ..states import PAID_FOR, OrderEvent
from . import documents, numbering

WAIT_FOR_INVOICE = 60.0


def issue(order_id: int, refund_number: int, amount_paise: int) -> CreditNote | None:
    """The refund's note; None if there is no invoice, or not so much left of it.

    Raises Snooze while the invoice of a paid order is not issued yet.
    """
    wanted = ReturnRequest.objects.filter(refund_number=refund_number).first()
    return _finish(_give_number(order_id, refund_number, amount_paise, wanted))


def issue_for_return(return_id: int) -> CreditNote | None:
    """The note of a return that no refund has paid; otherwise like `issue`."""
    wanted = ReturnRequest.objects.get(pk=return_id)
    return _finish(_give_number(wanted.order_id, None, wanted.amount_paise, wanted))


def _finish(note: CreditNote | None) -> CreditNote | None:
    if note and not note.pdf:
        order = selectors.order_with_lines(note.invoice.order_id)
        _publish(note, render_credit_note(CreditNoteData.of_note(note, order)))
    return note


@transaction.atomic
def _give_number(
    order_id: int, refund_number: int | None, amount_paise: int, wanted: ReturnRequest | None
) -> CreditNote | None:
    """Number, note and lines are one transaction: if it is rolled back, so is the series."""
    order = locks.lock_order(order_id)
    its_return, its_refund = Q(return_request=wanted), Q(refund_number=refund_number)
    existing = CreditNote.objects.filter(its_return if wanted else its_refund).first()
    if existing:
        return existing
    invoice = Invoice.objects.filter(order=order).first()
    if invoice is None and order.state in PAID_FOR:
        raise Snooze(WAIT_FOR_INVOICE, "the invoice is not issued yet")
    credited = _credited(order)
    if invoice is None or amount_paise > order.total_paise - sum(credited.values()):
        return None
    return _write(invoice, order, refund_number, amount_paise, credited, wanted)


def _write(
    invoice: Invoice,
    order: Order,
    refund_number: int | None,
    amount_paise: int,
    credited: Mapping[int, int],
    wanted: ReturnRequest | None,
) -> CreditNote:
    lines, now = list(order.lines.all()), timezone.now()
    left = [line.total_paise - credited.get(line.pk, 0) for line in lines]
    pieces = _pieces(wanted)
    prices = [line.unit_price_paise * pieces.get(line.pk, 0) for line in lines]
    fits = sum(prices) == amount_paise and all(price <= most for price, most in zip(prices, left, strict=True))
    shares = prices if fits else allot(amount_paise, left)
    note = CreditNote.objects.create(
        invoice=invoice,
        refund_number=refund_number,
        return_request=wanted,
        amount_paise=amount_paise,
        reason="Goods returned" if wanted else "Refund",
        number=numbering.next_number(numbering.CREDIT_NOTE, now),
        issued_at=now,
    )
    CreditNoteLine.objects.bulk_create(
        _line(note, line, share, credited.get(line.pk, 0), pieces.get(line.pk, 0) if fits else 0, order)
        for line, share in zip(lines, shares, strict=True)
        if share
    )
    return note


def _line(note: CreditNote, line: OrderLine, share: int, before: int, pieces: int, order: Order) -> CreditNoteLine:
    within = order.shipping_state == settings.SHOP_STATE
    grown = split_gst(before + share, line.gst_rate, within_state=within)
    gst = grown - split_gst(before, line.gst_rate, within_state=within)
    return CreditNoteLine(note=note, line=line, quantity=pieces, amount_paise=share, **vars(gst))


def _credited(order: Order) -> dict[int, int]:
    """What the notes before have taken of each line, in paise."""
    sums = CreditNoteLine.objects.filter(line__order=order).order_by().values("line")
    return dict(sums.annotate(paise=Sum("amount_paise")).values_list("line", "paise"))


def _pieces(wanted: ReturnRequest | None) -> dict[int, int]:
    return dict(wanted.lines.values_list("line", "quantity")) if wanted else {}


def _publish(note: CreditNote, pdf: bytes) -> None:
    def announce() -> None:
        order_id = note.invoice.order_id
        OrderLog.objects.create(order_id=order_id, event=OrderEvent.CREDIT_NOTE_ISSUED, detail=note.number)
        events.credit_note_issued.emit(order_id=order_id, credit_note_id=note.pk)

    documents.publish(note, pdf, announce)
