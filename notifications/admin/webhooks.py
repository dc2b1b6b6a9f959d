"""Webhooks: who is told what, and the log of what was sent."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from queues.ops.admin.lists import FastAdmin, LongList, ReadOnlyAdmin

from .. import webhook_types
from ..channels.webhook import mistake_in
from ..models import WebhookDelivery, WebhookEndpoint
from ..services import webhooks


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    events = forms.MultipleChoiceField(
        choices=lambda: [(name, f"{name}: {about}") for name, about in sorted(webhook_types.KNOWN.items())],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "events", "contact", "is_active")

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        if mistake := mistake_in(url):
            raise forms.ValidationError(mistake)
        return url


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(FastAdmin):
    form = EndpointForm
    list_display = ("id", "url", "is_active", "failing_since", "switched_off_at")
    list_display_links = ("id", "url")
    list_filter = ("is_active",)
    readonly_fields = ("failing_since", "switched_off_at", "created_at")
    fields = ("url", "events", "contact", "is_active", *readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("notifications.delete_webhookendpoint")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The secret is shown once; switched on again, the failures are forgotten."""
        super().save_model(request, obj, form, change)
        if not change:
            told = format_html("Its secret, shown only now: <code>{}</code>", obj.secret)
            self.message_user(request, told, messages.WARNING)
        elif "is_active" in form.changed_data and obj.is_active:
            webhooks.switch_on(obj.pk)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LongList, ReadOnlyAdmin):
    list_display = ("id", "endpoint", "event", "state", "status_code", "attempts", "error", "attempted_at")
    list_filter = ("state",)
    list_select_related = ("endpoint",)
    actions = ("redeliver_selected",)

    def has_redeliver_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.redeliver_webhook")

    @admin.action(description="Send selected webhooks again", permissions=["redeliver"])
    def redeliver_selected(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        sent = sum(webhooks.redeliver(pk) for pk in queryset.order_by("pk").values_list("pk", flat=True))
        self.message_user(request, f"{sent} will be sent again", messages.SUCCESS if sent else messages.WARNING)
