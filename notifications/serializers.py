"""How webhooks look in the API."""

from typing import Any

from rest_framework import serializers

from . import webhook_types
from .channels.webhook import mistake_in
from .models import WebhookDelivery, WebhookEndpoint


class EndpointSerializer(serializers.ModelSerializer[WebhookEndpoint]):
    """`secret` is in the answer to the registration alone."""

    events = serializers.ListField(child=serializers.CharField(max_length=40), min_length=1, max_length=50)

    class Meta:
        model = WebhookEndpoint
        read = ("failing_since", "switched_off_at", "created_at")
        fields = ("id", "url", "events", "contact", "is_active", *read)
        read_only_fields = read

    def validate_url(self, url: str) -> str:
        if mistake := mistake_in(url):
            raise serializers.ValidationError(mistake)
        return url

    def validate_events(self, events: list[str]) -> list[str]:
        unknown = [event for event in events if event not in webhook_types.KNOWN]
        if unknown:
            known = ", ".join(sorted(webhook_types.KNOWN))
            raise serializers.ValidationError(f"Unknown: {', '.join(unknown)}; expected some of {known}.")
        return sorted(set(events))


class RegisteredEndpoint(EndpointSerializer):
    secret = serializers.CharField(read_only=True)

    class Meta(EndpointSerializer.Meta):
        fields = (*EndpointSerializer.Meta.fields, "secret")  # type: ignore[assignment]
        read_only_fields = (*EndpointSerializer.Meta.read_only_fields, "secret")  # type: ignore[assignment]


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    body: Any = serializers.CharField(read_only=True, help_text="JSON, as it is sent")

    class Meta:
        model = WebhookDelivery
        times = ("created_at", "attempted_at", "delivered_at")
        fields = ("id", "message_id", "event", "state", "attempts", "status_code", "error", *times, "body")
        read_only_fields = fields
