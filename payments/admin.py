"""Payments in the admin: to be read; a refund is the one thing that staff may ask for."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from queues.long_list import LongList
from queues.readonly import ReadOnlyAdmin, ReadOnlyInline

from .errors import RefundExceedsCapture
from .models import GatewayHealth, Payment, PaymentEvent, ProviderEvent, Reconciliation, Refund
from .services import refunds


class EventInline(ReadOnlyInline):
    model = PaymentEvent
    fields = ("at", "kind", "amount_paise", "detail", "dedupe_key")
    readonly_fields = fields


class RefundInline(ReadOnlyInline):
    model = Refund
    fields = ("created_at", "state", "amount_paise", "reason", "gateway_reference", "idempotency_key", "settled_at")
    readonly_fields = fields


class RefundForm(forms.Form):
    """How much to give back, and why."""

    amount_paise = forms.IntegerField(min_value=1, label="Amount in paise")
    reason = forms.CharField(max_length=255)


@admin.register(Payment)
class PaymentAdmin(LongList, ReadOnlyAdmin):
    """Every payment with its events and refunds; neither token nor client secret is shown."""

    list_display = ("id", "order", "state", "amount_paise", "captured_paise", "refunded_paise", "gateway", "created_at")
    list_filter = ("state", "gateway", "held")
    search_fields = (
        *("id__exact", "order__id__exact", "gateway_reference__exact"),
        *("intent_reference__exact", "idempotency_key__exact"),
    )
    search_help_text = "Number of the payment or the order, reference at the gateway, or idempotency key"
    exclude = ("payment_token", "client_secret")
    inlines = (EventInline, RefundInline)
    list_select_related = ("order",)
    change_form_template = "admin/payments/payment.html"

    def get_urls(self) -> list[URLPattern]:
        page = path("<int:pk>/refund/", self.admin_site.admin_view(self.refund), name="payments_payment_refund")
        return [page, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        payment: Any = kwargs.get("obj")
        context["may_refund"] = _may_refund(request) and payment and payment.refundable_paise > 0
        return super().render_change_form(request, context, *args, **kwargs)

    def refund(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for a refund; a job has the gateway give the money back."""
        payment = get_object_or_404(Payment, pk=pk)
        if not _may_refund(request):
            return HttpResponse(status=403)
        form = RefundForm(request.POST or None, initial={"amount_paise": payment.refundable_paise})
        if request.method == "POST" and form.is_valid() and self._ask_for(request, payment, form):
            return HttpResponseRedirect(reverse("admin:payments_payment_change", args=[pk]))
        page = {**self.admin_site.each_context(request), "title": f"Refund {payment}", "form": form, "payment": payment}
        return TemplateResponse(request, "admin/payments/refund.html", page)

    def _ask_for(self, request: HttpRequest, payment: Payment, form: RefundForm) -> bool:
        reason = f"{form.cleaned_data['reason']} ({request.user})"
        try:
            made = refunds.refund(payment.pk, form.cleaned_data["amount_paise"], reason)
        except RefundExceedsCapture as error:
            form.add_error("amount_paise", str(error))
            return False
        messages.success(request, f"Refund {made.pk} of {made.amount_paise} paise is under way.")
        return True


@admin.register(ProviderEvent)
class ProviderEventAdmin(LongList, ReadOnlyAdmin):
    """Every verified webhook and what became of it."""

    list_display = ("id", "provider", "kind", "state", "received_at", "applied_at")
    list_filter = ("provider", "state", "kind")
    search_fields = ("event_id__exact",)
    search_help_text = "The provider's id of the event"


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    """The reports of reconciliation."""

    list_display = ("id", "started_at", "finished_at", "asked", "settled", "differing", "unanswered")


@admin.register(GatewayHealth)
class GatewayHealthAdmin(ReadOnlyAdmin):
    """The gateways' circuit breakers."""

    list_display = ("gateway", "failures", "opened_at")


def _may_refund(request: HttpRequest) -> bool:
    return request.user.has_perm("payments.add_refund") and request.user.has_perm("payments.view_payment")
