"""Publishing numbered papers: the file first, then the news."""

import hashlib
from collections.abc import Callable

from django.core.files.base import ContentFile
from django.db import transaction

from ..models import CreditNote, Invoice


def publish(document: Invoice | CreditNote, pdf: bytes, announce: Callable[[], None]) -> None:
    """Store the file, then make it known and `announce` it in one transaction.

    Of two runs at once one announces; both mean the same file.
    """
    stored = _store(document, pdf)
    with transaction.atomic():
        if type(document)._default_manager.filter(pk=document.pk, pdf="").update(pdf=stored):
            announce()
    document.refresh_from_db()


def _store(document: Invoice | CreditNote, pdf: bytes) -> str:
    """A name of the paper's number and what stands in it: after a crash the next run finds its own file, or writes over
    the half of it, and no file belongs to nobody. A file that is whole is left alone, as it may be read just now.
    """
    storage, name = document.pdf.storage, f"invoices/{document.stem}-{hashlib.sha256(pdf).hexdigest()[:12]}.pdf"
    if storage.exists(name):
        with storage.open(name) as file:
            if file.read() == pdf:
                return name
    return str(storage.save(name, ContentFile(pdf)))
