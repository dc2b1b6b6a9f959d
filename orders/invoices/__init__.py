"""Papers: what stands in them (`data`, `credit_note`) and how they look (`pdf`, `credit_note_pdf`).

What draws them is loaded with the first one: it takes 20 MB that most processes never need. The fork server loads it
for its children (QUEUE_CHILD_PRELOAD).
"""

from .credit_note import CreditNoteData
from .data import InvoiceData


def render_invoice(data: InvoiceData) -> bytes:
    """Draw the invoice as a PDF. The same data give the same bytes; needs no database."""
    from . import pdf

    return pdf.render_invoice(data)


def render_credit_note(data: CreditNoteData) -> bytes:
    """Draw the credit note as a PDF. The same data give the same bytes; needs no database."""
    from . import credit_note_pdf

    return credit_note_pdf.render_credit_note(data)
