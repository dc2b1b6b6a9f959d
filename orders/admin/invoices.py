"""Invoices and their series, to look at and to download."""

from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from queues.readonly import ReadOnlyAdmin

from ..models import DocumentSeries, Invoice
from .search import ExactSearchAdmin


@admin.register(Invoice)
class InvoiceAdmin(ExactSearchAdmin):
    list_display = ("number", "order_id", "issued_at", "download")
    number_field, text_field = "order_id", "number"
    search_help_text = "number of the invoice or of the order"
    fields = ("number", "order", "issued_at", "download")
    readonly_fields = fields

    def spell(self, term: str) -> str:
        return term.upper()

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.pdf_view)
        return [path("<int:pk>/pdf/", page, name="orders_invoice_pdf"), *super().get_urls()]

    def pdf_view(self, request: HttpRequest, pk: int) -> FileResponse:
        """The file, for those who may see invoices; it is not served under a public address."""
        invoice = get_object_or_404(Invoice, pk=pk)
        if not invoice.pdf or not self.has_view_permission(request, invoice):
            raise Http404
        return FileResponse(invoice.pdf.open("rb"), filename=invoice.file_name, content_type="application/pdf")

    @admin.display(description="PDF")
    def download(self, invoice: Invoice) -> str:
        if not invoice.pdf:
            return "not yet"
        return format_html('<a href="{}">PDF</a>', reverse("admin:orders_invoice_pdf", args=[invoice.pk]))


@admin.register(DocumentSeries)
class DocumentSeriesAdmin(ReadOnlyAdmin):
    list_display = ("prefix", "year", "last_number")
