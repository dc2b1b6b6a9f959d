"""Invoices, credit notes and their series, to look at and to download."""

from typing import Any

from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from queues.ops.admin.lists import LongList, ReadOnlyAdmin

from ..models import CreditNote, DocumentSeries, Invoice
from .search import ExactSearchAdmin


class DocumentAdmin(LongList, ExactSearchAdmin):
    """Numbered papers with their PDF."""

    number_field, text_field = "order_id", "number"
    search_help_text = "number of the paper or of the order"

    def spell(self, term: str) -> str:
        return term.upper()

    @property
    def pdf_name(self) -> str:
        return f"orders_{self.model._meta.model_name}_pdf"

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.pdf_view)
        return [path("<int:pk>/pdf/", page, name=self.pdf_name), *super().get_urls()]

    def pdf_view(self, request: HttpRequest, pk: int) -> FileResponse:
        """The file, for those who may see such papers; it is not served under a public address."""
        paper: Any = get_object_or_404(self.model, pk=pk)
        if not paper.pdf or not self.has_view_permission(request, paper):
            raise Http404
        return FileResponse(paper.pdf.open("rb"), filename=paper.file_name, content_type="application/pdf")

    @admin.display(description="PDF")
    def download(self, paper: Any) -> str:
        if not paper.pdf:
            return "not yet"
        return format_html('<a href="{}">PDF</a>', reverse(f"admin:{self.pdf_name}", args=[paper.pk]))


@admin.register(Invoice)
class InvoiceAdmin(DocumentAdmin):
    list_display = ("number", "order_id", "issued_at", "download")
    fields = ("number", "order", "issued_at", "download")
    readonly_fields = fields


@admin.register(CreditNote)
class CreditNoteAdmin(DocumentAdmin):
    list_display = ("number", "invoice", "order", "amount", "issued_at", "download")
    list_select_related = ("invoice",)
    number_field = "invoice__order_id"
    fields = ("number", "invoice", "refund_number", "amount", "reason", "issued_at", "download")
    readonly_fields = fields

    @admin.display(description="order")
    def order(self, note: CreditNote) -> int:
        return note.invoice.order_id


@admin.register(DocumentSeries)
class DocumentSeriesAdmin(ReadOnlyAdmin):
    list_display = ("prefix", "year", "last_number")
