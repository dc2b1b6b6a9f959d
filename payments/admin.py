"""Payments in the admin: to be read; a refund is the one thing that staff may ask for."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from orders.admin.orders import OrderAdmin
from orders.admin.search import link_to, link_to_order
from orders.money import format_rupees
from queues.ops.admin.lists import LongList, ReadOnlyAdmin, ReadOnlyInline, warned

from .errors import RefundExceedsCapture
from .models import GatewayHealth, Payment, PaymentEvent, ProviderEvent, Reconciliation, Refund
from .services import refunds
from .states import RefundState


class EventInline(ReadOnlyInline):
    model = PaymentEvent
    fields = ("at", "kind", "amount", "detail", "dedupe_key")
    readonly_fields = fields

    @admin.display(description="amount")
    def amount(self, event: PaymentEvent) -> str:
        return format_rupees(event.amount_paise) if event.amount_paise else "-"


class RefundInline(ReadOnlyInline):
    model = Refund
    fields = ("created_at", "told_state", "amount", "reason", "gateway_reference", "idempotency_key", "settled_at")
    readonly_fields = fields

    @admin.display(description="amount")
    def amount(self, made: Refund) -> str:
        return format_rupees(made.amount_paise)

    @admin.display(description="state")
    def told_state(self, made: Refund) -> str:
        told = made.get_state_display()
        return warned(told) if made.state == RefundState.FAILED else told


class Amounts:
    """A payment's sums as people read them."""

    @admin.display(description="amount")
    def amount(self, payment: Payment) -> str:
        return format_rupees(payment.amount_paise)

    @admin.display(description="captured")
    def captured(self, payment: Payment) -> str:
        return format_rupees(payment.captured_paise)

    @admin.display(description="refunded")
    def refunded(self, payment: Payment) -> str:
        """Given back, or promised by a refund under way."""
        return format_rupees(payment.refunded_paise)


class PaymentInline(Amounts, ReadOnlyInline):
    """On the page of an order, for those who may see payments."""

    model = Payment
    fields = ("number", "state", "amount", "captured", "refunded", "gateway", "reason", "settled_at")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("payments.view_payment")

    @admin.display(description="payment")
    def number(self, payment: Payment) -> str:
        return link_to("payments_payment", payment.pk, f"payment {payment.pk}")


OrderAdmin.inlines = (PaymentInline, *OrderAdmin.inlines)  # the order knows nothing of payments


class RefundForm(forms.Form):
    """How much to give back, and why. `wish` names this one form, however often it is sent."""

    wish = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4, required=False)
    amount_paise = forms.IntegerField(min_value=1, label="Amount in paise")
    reason = forms.CharField(max_length=255)


@admin.register(Payment)
class PaymentAdmin(Amounts, LongList, ReadOnlyAdmin):
    """Every payment with its events and refunds; neither token nor client secret is shown."""

    list_display = ("id", "about", "state", "amount", "captured", "refunded", "gateway", "created_at")
    list_filter = ("state", "gateway", "held")
    search_fields = (
        *("id__exact", "order__id__exact", "gateway_reference__exact"),
        *("intent_reference__exact", "idempotency_key__exact"),
    )
    search_help_text = "Number of the payment or the order, reference at the gateway, or idempotency key"
    fields = (
        ("id", "about", "state"),
        ("amount", "captured", "refunded"),
        ("gateway", "gateway_reference", "intent_reference"),
        ("waits", "ending", "reason"),
        ("created_at", "submitted_at", "settled_at", "reconciled_at"),
        ("idempotency_key", "key_generation", "key_used_at", "key_is_spoiled"),
    )
    readonly_fields = ("id", "about", "amount", "captured", "refunded", "waits", "created_at", "key_is_spoiled")
    inlines = (EventInline, RefundInline)
    list_select_related = ("order",)
    change_form_template = "admin/payments/payment.html"

    @admin.display(description="order")
    def about(self, payment: Payment) -> str:
        return link_to_order(payment.order_id)

    @admin.display(description="held")
    def waits(self, payment: Payment) -> str:
        return "until a review lets it go" if payment.held else "no"

    @admin.display(description="key spoiled")
    def key_is_spoiled(self, payment: Payment) -> str:
        return "yes: the gateway answered it with an error of its own" if payment.key_spoiled else "no"

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
        page |= {"captured": format_rupees(payment.captured_paise), "left": format_rupees(payment.refundable_paise)}
        return TemplateResponse(request, "admin/payments/refund.html", page)

    def _ask_for(self, request: HttpRequest, payment: Payment, form: RefundForm) -> bool:
        reason = f"{form.cleaned_data['reason']} ({request.user})"
        try:
            wish = str(form.cleaned_data["wish"] or uuid4())
            made = refunds.refund(payment.pk, form.cleaned_data["amount_paise"], reason, wish)
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
