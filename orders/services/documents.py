"""Publishing numbered papers: the file first, then the news."""

from collections.abc import Callable

from django.core.files.base import ContentFile
from django.db import transaction

from ..models import CreditNote, Invoice


def publish(document: Invoice | CreditNote, pdf: bytes, announce: Callable[[], None]) -> None:
    """Store the file, then make it known and `announce` it in one transaction.

    Of two runs at once the one that comes second removes its file.
    """
    storage = document.pdf.storage
    stored = storage.save(f"invoices/{document.file_name}", ContentFile(pdf))
    with transaction.atomic():
        first = bool(type(document)._default_manager.filter(pk=document.pk, pdf="").update(pdf=stored))
        if first:
            announce()
    if not first:
        storage.delete(stored)
    document.refresh_from_db()
