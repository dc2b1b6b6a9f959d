"""Issuing tax invoices: a gap-free number, then the PDF, then the news.

A crash between the steps leaves an invoice without a PDF; the next run finishes it under the same number.
"""

from django.db import transaction
from django.utils import timezone

from queues import Cancel

from .. import events, locks, selectors
from ..errors import NotInvoiceable
from ..invoices import render_invoice
from ..invoices.data import InvoiceData
from ..models import Invoice, OrderLog
from ..states import PAID_FOR, OrderEvent, OrderState
from . import documents, numbering


def generate_invoice(order_id: int) -> Invoice:
    """Issue the invoice of a paid order, or return the one it has.

    Raises NotInvoiceable if it was never paid, and Cancel if it was called off before it had an invoice.
    """
    invoice = _give_number(order_id)
    if not invoice.pdf:
        order = selectors.order_with_lines(order_id)
        _publish(invoice, render_invoice(InvoiceData.of(invoice, order)))
    return invoice


@transaction.atomic
def _give_number(order_id: int) -> Invoice:
    """The number and the invoice's row are one transaction: if it is rolled back, so is the series."""
    order = locks.lock_order(order_id)
    existing = Invoice.objects.filter(order=order).first()
    if existing:
        return existing
    if order.paid_at and order.state == OrderState.CANCELLED:
        raise Cancel("the order was called off before its invoice was issued")
    if order.state not in PAID_FOR:
        raise NotInvoiceable(f"order {order_id} is {order.state}")
    now = timezone.now()
    return Invoice.objects.create(order=order, number=numbering.next_number(numbering.INVOICE, now), issued_at=now)


def _publish(invoice: Invoice, pdf: bytes) -> None:
    def announce() -> None:
        OrderLog.objects.create(order_id=invoice.order_id, event=OrderEvent.INVOICE_ISSUED, detail=invoice.number)
        events.invoice_issued.emit(order_id=invoice.order_id, invoice_id=invoice.pk)

    documents.publish(invoice, pdf, announce)
