"""How a credit note looks: like an invoice, but for some words."""

from .credit_note import CreditNoteData
from .data import InvoiceLine
from .pdf import InvoicePage, draw


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
