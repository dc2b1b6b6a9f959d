"""What stands in a credit note."""

from dataclasses import dataclass, replace
from datetime import date

from django.utils import timezone

from ..models import CreditNote, Order
from .data import InvoiceData, InvoiceLine


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
