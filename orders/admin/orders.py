"""Orders, with their lines, reservations, log and a way to their jobs."""

from urllib.parse import urlencode

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from queues.readonly import ReadOnlyInline

from ..models import Order, OrderLine, OrderLog, Reservation, Shipment
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


@admin.register(Order)
class OrderAdmin(ShippingActions):
    list_display = ("id", "state", "email", "total", "shipping_city", "placed_at", "paid_at", "jobs")
    list_filter = ("state",)
    text_field = "customer__email"
    search_help_text = "number of the order or e-mail address of the customer"
    inlines = (LineInline, ReservationInline, ShipmentInline, LogInline)
    fields = (
        ("id", "state", "jobs"),
        ("customer", "email", "phone"),
        ("total", "currency"),
        ("shipping_name", "shipping_line"),
        ("shipping_city", "shipping_state", "shipping_pincode"),
        ("placed_at", "paid_at", "cancelled_at"),
    )
    readonly_fields = ("id", "total", "jobs")

    def spell(self, term: str) -> str:
        return term.lower()

    @admin.display(description="jobs")
    def jobs(self, order: Order) -> str:
        url = reverse("admin:queues_job_changelist")
        return format_html('<a href="{}?{}">jobs</a>', url, urlencode({"subject": f"order-{order.pk}"}))
