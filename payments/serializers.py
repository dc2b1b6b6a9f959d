"""The API's words for payments. Amounts are integer paise."""

from typing import Any, ClassVar

from rest_framework import serializers

from orders.serializers import StrictSerializer

from .models import Payment, Refund
from .selectors import client_facts_of


class PayRequest(StrictSerializer):
    """The body of `POST orders/<id>/pay`."""

    payment_token = serializers.CharField(
        max_length=255,
        default="",
        allow_blank=False,
        help_text="The single-use reference got from the gateway; without it the customer confirms there.",
    )
    gateway = serializers.CharField(
        max_length=20, default="", allow_blank=False, help_text="simulated, stripe or razorpay; default: the shop's."
    )


class ConfirmRequest(StrictSerializer):
    """The body of `POST payments/<id>/confirm`: what Razorpay's checkout gave; for Stripe it is empty."""

    razorpay_payment_id = serializers.CharField(max_length=255, default="")
    razorpay_signature = serializers.CharField(max_length=255, default="")


class RefundSerializer(serializers.ModelSerializer[Refund]):
    class Meta:
        model = Refund
        fields = ("id", "state", "amount_paise", "reason", "created_at", "settled_at")


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """A payment as its customer may see it: neither token nor keys.

    `client` is what the storefront needs so that the customer can confirm a pending payment at the gateway: of Stripe
    the client_secret and publishable_key, of Razorpay the order_id and key_id.
    """

    refunds = RefundSerializer(many=True, read_only=True)
    client = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields: ClassVar = (
            *("id", "state", "amount_paise", "currency", "captured_paise", "refunded_paise", "gateway"),
            *("reason", "created_at", "submitted_at", "settled_at", "refunds", "client"),
        )
        read_only_fields = fields

    def get_client(self, payment: Payment) -> dict[str, str]:
        return client_facts_of(payment)


class OrderStateSerializer(serializers.Serializer[Any]):
    """What became of an order."""

    id = serializers.IntegerField()
    state = serializers.CharField()
