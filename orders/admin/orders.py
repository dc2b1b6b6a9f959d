"""Orders, with their lines, reservations, log and a way to their jobs."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from queues.ops.admin.lists import ReadOnlyInline

from .. import selectors
from ..models import Order, OrderLine, OrderLog, Reservation, ReturnRequest, ReviewItem, Shipment
from .search import link_to
from .shipping import ShippingActions


class LineInline(ReadOnlyInline):
    model = OrderLine
    fields = ("sku", "name", "hsn", "gst_rate", "quantity", "unit_price", "total")
    readonly_fields = fields


class ReservationInline(ReadOnlyInline):
    model = Reservation
    fields = ("product", "quantity", "state")
    readonly_fields = fields


class ShipmentInline(ReadOnlyInline):
    model = Shipment
    fields = ("carrier", "tracking_number", "tracking_url", "status", "shipped_at", "status_at")
    readonly_fields = fields


class LogInline(ReadOnlyInline):
    model = OrderLog
    fields = ("at", "event", "detail")
    readonly_fields = fields


class ReviewInline(ReadOnlyInline):
    """Shown to those who may see reviews."""

    model = ReviewItem
    fields = ("number", "kind", "why", "state", "deadline_at", "decided_by", "note")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("orders.view_reviewitem")

    @admin.display(description="review")
    def number(self, item: ReviewItem) -> str:
        return link_to("orders_reviewitem", item.pk, str(item))


class ReturnInline(ReadOnlyInline):
    """Shown to those who may see returns."""

    model = ReturnRequest
    fields = ("number", "state", "amount", "reason", "requested_at", "received_at")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("orders.view_returnrequest")

    @admin.display(description="return")
    def number(self, wanted: ReturnRequest) -> str:
        return link_to("orders_returnrequest", wanted.pk, str(wanted))


@admin.register(Order)
class OrderAdmin(ShippingActions):
    list_display = ("id", "state", "email", "total", "shipping_city", "placed_at", "paid_at", "jobs")
    list_filter = ("state",)
    text_field = "customer__email"
    search_help_text = "number of the order or e-mail address of the customer"
    inlines: ClassVar[tuple[Any, ...]] = (
        LineInline,
        ReservationInline,
        ShipmentInline,
        ReviewInline,
        ReturnInline,
        LogInline,
    )
    fields = (
        ("id", "state", "jobs", "paper"),
        ("customer", "email", "phone"),
        ("total", "currency"),
        ("shipping_name", "shipping_line"),
        ("shipping_city", "shipping_state", "shipping_pincode"),
        ("placed_at", "paid_at", "cancelled_at"),
    )
    readonly_fields = ("id", "total", "jobs", "paper")

    def spell(self, term: str) -> str:
        return term.lower()

    @admin.display(description="invoice")
    def paper(self, order: Order) -> str:
        invoice = selectors.invoice_of(order)
        if invoice is None:
            return "not yet"
        return format_html('<a href="{}">{}</a>', reverse("admin:orders_invoice_pdf", args=[invoice.pk]), invoice)

    @admin.display(description="jobs")
    def jobs(self, order: Order) -> str:
        url = reverse("admin:queues_job_changelist")
        return format_html('<a href="{}?{}">jobs</a>', url, urlencode({"subject": f"order-{order.pk}"}))
