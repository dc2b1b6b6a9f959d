"""The API's words for payments. Amounts are integer paise."""

from typing import Any, ClassVar

from rest_framework import serializers

from orders.serializers import StrictSerializer

from .models import Payment, Refund


class PayRequest(StrictSerializer):
    """The body of `POST orders/<id>/pay`."""

    payment_token = serializers.CharField(max_length=255, help_text="The single-use reference got from the gateway.")


class RefundSerializer(serializers.ModelSerializer[Refund]):
    class Meta:
        model = Refund
        fields = ("id", "state", "amount_paise", "reason", "created_at", "settled_at")


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """A payment as its customer may see it: neither token nor keys."""

    refunds = RefundSerializer(many=True, read_only=True)

    class Meta:
        model = Payment
        fields: ClassVar = (
            *("id", "state", "amount_paise", "currency", "captured_paise", "refunded_paise", "gateway"),
            *("reason", "created_at", "submitted_at", "settled_at", "refunds"),
        )
        read_only_fields = fields


class OrderStateSerializer(serializers.Serializer[Any]):
    """What became of an order."""

    id = serializers.IntegerField()
    state = serializers.CharField()
