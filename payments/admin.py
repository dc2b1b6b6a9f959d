"""Payments in the admin: to be read, never changed. Fast with many rows: nothing is counted to the end."""

from django.contrib import admin

from queues.readonly import ReadOnlyAdmin, ReadOnlyInline

from .models import Payment, PaymentEvent, Refund


class EventInline(ReadOnlyInline):
    model = PaymentEvent
    fields = ("at", "kind", "amount_paise", "detail", "dedupe_key")
    readonly_fields = fields


class RefundInline(ReadOnlyInline):
    model = Refund
    fields = ("created_at", "state", "amount_paise", "reason", "gateway_reference", "idempotency_key", "settled_at")
    readonly_fields = fields


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Every payment with its events and refunds; `payment_token` is not shown."""

    list_display = ("id", "order", "state", "amount_paise", "captured_paise", "refunded_paise", "gateway", "created_at")
    list_filter = ("state", "gateway")
    search_fields = ("id__exact", "order__id__exact", "gateway_reference__exact", "idempotency_key__exact")
    search_help_text = "Number of the payment or the order, reference at the gateway, or idempotency key"
    exclude = ("payment_token",)
    inlines = (EventInline, RefundInline)
    list_select_related = ("order",)
