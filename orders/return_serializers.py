"""How returns look in the API."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from .models import CreditNote, ReturnLine, ReturnRequest
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


class CreditNoteSerializer(serializers.ModelSerializer[CreditNote]):
    """A paper about money that went back; `links.pdf` is the file."""

    amount = serializers.CharField(read_only=True)
    links = serializers.SerializerMethodField()

    class Meta:
        model = CreditNote
        fields = ("number", "issued_at", "amount_paise", "amount", "links")
        read_only_fields = fields

    def get_links(self, note: CreditNote) -> dict[str, str]:
        return {"pdf": reverse("order-credit-note", args=[note.invoice.order_id, note.pk])}
