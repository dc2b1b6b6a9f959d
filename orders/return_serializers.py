"""How returns look in the API."""

from typing import Any

from rest_framework import serializers

from .models import ReturnLine, ReturnRequest
from .serializers import MAX_LINES, LineRequest, StrictSerializer


class ReturnWish(StrictSerializer):
    """The body of `POST /api/orders/{id}/returns`."""

    lines = serializers.ListField(child=LineRequest(), min_length=1, max_length=MAX_LINES)
    reason = serializers.CharField(max_length=500)


class ReceiveRequest(StrictSerializer):
    """The body of `POST /api/returns/{id}/receive`: what of it cannot be sold again."""

    damaged: Any = serializers.ListField(child=LineRequest(), max_length=MAX_LINES, default=list)


class ReturnLineSerializer(serializers.ModelSerializer[ReturnLine]):
    sku = serializers.CharField(source="line.sku")
    name = serializers.CharField(source="line.name")

    class Meta:
        model = ReturnLine
        fields = ("sku", "name", "quantity", "damaged", "amount_paise", "total")
        read_only_fields = fields


class ReturnSerializer(serializers.ModelSerializer[ReturnRequest]):
    lines = ReturnLineSerializer(many=True, read_only=True)
    amount = serializers.CharField(read_only=True)

    class Meta:
        model = ReturnRequest
        times = ("requested_at", "answered_at", "received_at")
        fields = ("id", "state", "reason", "amount_paise", "amount", *times, "lines")
        read_only_fields = fields
