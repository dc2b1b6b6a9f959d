"""What the shop tells its customers about an order. Every mail has a key, so that a repeated job sends it once."""

from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone

from notifications.services import send

from .. import selectors
from ..models import CreditNote, Invoice, Order, ReturnRequest, Shipment
from ..models.invoice import Document
from ..money import format_rupees
from ..states import UNPAID, OrderEvent, ReturnState


def send_order_confirmation(order_id: int) -> None:
    """Thank for the order; asks for payment if it came without a token."""
    order = selectors.order_with_lines(order_id)
    pay_before = "" if order.payment_token else _pay_before(order)
    _send("order_confirmation", order, key=f"order-confirmation-{order_id}", pay_before=pay_before)


def send_payment_receipt(order_id: int, invoice_id: int) -> None:
    """Confirm the payment, with the invoice attached."""
    order = selectors.order_with_lines(order_id)
    invoice = Invoice.objects.get(pk=invoice_id)
    _send(
        "payment_receipt",
        order,
        key=f"payment-receipt-{invoice_id}",
        attachments=partial(_pdf_of, invoice),
        invoice_number=invoice.number,
    )


def send_credit_note(credit_note_id: int) -> None:
    """Tell of the credit note, with it attached."""
    note = CreditNote.objects.select_related("invoice").get(pk=credit_note_id)
    _send(
        "credit_note",
        selectors.order_with_lines(note.invoice.order_id),
        key=f"credit-note-{credit_note_id}",
        attachments=partial(_pdf_of, note),
        invoice_number=note.invoice.number,
        note_number=note.number,
        amount=format_rupees(note.amount_paise),
    )


def send_payment_failed(order_id: int) -> None:
    """Tell of the last failure and until when the order may still be paid: one mail a failure."""
    order = selectors.order_with_lines(order_id)
    failure = selectors.last_logged(order_id, OrderEvent.PAYMENT_FAILED)
    pay_before = _pay_before(order) if order.state in UNPAID else ""
    _send("payment_failed", order, key=f"payment-failed-{failure.pk}", reason=failure.detail, pay_before=pay_before)


def send_order_cancelled(order_id: int) -> None:
    """Tell that the order was cancelled, and why."""
    order = selectors.order_with_lines(order_id)
    reason = selectors.last_logged(order_id, OrderEvent.CANCELLED).detail
    _send("order_cancelled", order, key=f"order-cancelled-{order_id}", reason=reason)


def send_shipping_notification(order_id: int) -> None:
    """Tell that the parcel has left, with whom and how to follow it."""
    order = selectors.order_with_lines(order_id)
    parcel = Shipment.objects.get(order=order)
    _send(
        "shipping_notification",
        order,
        key=f"shipping-notification-{order_id}",
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        tracking_url=parcel.tracking_url,
    )


def send_return_answered(return_id: int) -> None:
    """Tell whether the goods may be sent back."""
    wanted = ReturnRequest.objects.get(pk=return_id)
    kind = "return_rejected" if wanted.state == ReturnState.REJECTED else "return_approved"
    lines = [{"name": x.line.name, "quantity": x.quantity, "total": x.total} for x in selectors.return_lines(return_id)]
    _send(
        kind,
        selectors.order_with_lines(wanted.order_id),
        key=f"return-answered-{return_id}",
        lines=lines,
        total=format_rupees(wanted.amount_paise),
    )


def _pdf_of(document: Document) -> list[tuple[str, bytes, str]]:
    with document.pdf.open("rb") as file:
        return [(document.file_name, file.read(), "application/pdf")]


def _send(kind: str, order: Order, *, key: str, attachments: Any = None, **words: Any) -> None:
    context = {
        "order_id": order.pk,
        "name": order.shipping_name,
        "lines": [{"name": x.name, "quantity": x.quantity, "total": x.total} for x in order.lines.all()],
        "total": order.total,
        "shop": settings.SHOP_NAME,
        "reason": "",
        "invoice_number": "",
        "pay_before": "",
    }
    send(kind=kind, to=order.email, context=context | words, key=key, attachments=attachments)


def _pay_before(order: Order) -> str:
    """When the order will be cancelled, as the customer reads it: "22 Nov 2026, 3:05 pm"."""
    end = timezone.localtime(order.placed_at + settings.PAYMENT_WINDOW)
    return f"{end:%d %b %Y}, {end.hour % 12 or 12}:{end:%M} {'am' if end.hour < 12 else 'pm'}"
