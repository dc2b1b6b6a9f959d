"""A credit note: what stands in it, and how it differs from an invoice."""

from dataclasses import dataclass, replace
from datetime import date

from django.utils import timezone

from ..models import CreditNote, Order
from .data import InvoiceData, InvoiceLine
from .pdf import InvoicePage, draw


@dataclass(frozen=True)
class CreditNoteData(InvoiceData):
    """An invoice's data with the lines that are given back, and the invoice that they belong to."""

    against: str
    against_on: date
    reason: str

    @classmethod
    def of_note(cls, note: CreditNote, order: Order) -> "CreditNoteData":
        """Gather it from the note and its order."""
        invoice = note.invoice
        base = vars(replace(InvoiceData.of(invoice, order), number=note.number, lines=()))
        base |= {"issued_at": timezone.localtime(note.issued_at), "lines": _lines(note)}
        return cls(**base, against=invoice.number, against_on=timezone.localdate(invoice.issued_at), reason=note.reason)


class CreditNotePage(InvoicePage):
    """Like an invoice; a line without goods shows neither quantity nor price."""

    NAME = "Credit note"
    NOTES = (
        "All amounts are in Indian rupees (₹) and include GST.",
        "Issued under section 34 of the CGST Act. It is computer-generated and needs no signature.",
    )
    GREETING = "धन्यवाद · Thank you!"
    data: CreditNoteData

    def facts(self) -> list[tuple[str, str]]:
        data = self.data
        return [
            ("Credit note number", data.number),
            ("Credit note date", f"{data.issued_at:%d %b %Y}"),
            ("Against invoice", f"{data.against} of {data.against_on:%d %b %Y}"),
            ("Order", f"{data.order_id} of {data.ordered_on:%d %b %Y}"),
            ("Place of supply", data.buyer.state_with_code),
            ("Reason", data.reason),
        ]

    def row(self, number: int, line: InvoiceLine) -> tuple[str, ...]:
        cells = super().row(number, line)
        return cells if line.quantity else (*cells[:3], "-", "-", *cells[5:])


def render_credit_note(data: CreditNoteData) -> bytes:
    """Draw it as a PDF. The same data give the same bytes; needs no database."""
    return draw(CreditNotePage(data))


def _lines(note: CreditNote) -> tuple[InvoiceLine, ...]:
    return tuple(
        InvoiceLine(
            name=credit.line.name,
            hsn=credit.line.hsn,
            quantity=credit.quantity,
            unit_price_paise=credit.line.unit_price_paise,
            gst_rate=credit.line.gst_rate,
            gst=credit.gst,
        )
        for credit in note.lines.select_related("line")
    )
