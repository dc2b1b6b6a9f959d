"""How the shop's things look in the API, and what an order request must look like."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from queues.models import Job

from . import selectors
from .models import Order, OrderLine, Product, Shipment
from .places import STATE_CODES
from .states import OrderState, ShipmentStatus

MAX_LINES = 50
MAX_QUANTITY = 100
MOBILE = r"\A(\+91[ -]?)?[6-9][0-9]{9}\Z"


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, by name: a price sent by the client is a mistake or an attack."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = [str(name) for name in data if name not in self.fields] if isinstance(data, dict) else []
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError({name: [f"Unknown field; expected {known}."] for name in unknown})
        return super().to_internal_value(data)


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": MAX_QUANTITY})
class QuantityField(serializers.Field[int, Any, int, Any]):
    """A whole number of pieces. No text, no fraction, no true or false."""

    default_error_messages = {
        "whole": "Expected a whole number from 1 to {most}.",
    }

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int or not 1 <= data <= MAX_QUANTITY:
            self.fail("whole", most=MAX_QUANTITY)
        return data

    def to_representation(self, value: int) -> int:
        return value


class LineRequest(StrictSerializer):
    sku = serializers.CharField(max_length=40)
    quantity = QuantityField()


class ShippingRequest(StrictSerializer):
    name = serializers.CharField(max_length=120)
    line = serializers.CharField(max_length=250, help_text="house, street, locality")
    city = serializers.CharField(max_length=80)
    state = serializers.ChoiceField(sorted(STATE_CODES))
    pincode = serializers.RegexField(
        r"\A[1-9][0-9]{5}\Z", error_messages={"invalid": "Expected six digits, the first not 0."}
    )
    phone = serializers.RegexField(
        MOBILE, error_messages={"invalid": "Expected an Indian mobile number: ten digits, with or without +91."}
    )


class OrderRequest(StrictSerializer):
    """The body of `POST /api/orders`. Prices are the shop's, so none is taken."""

    lines = serializers.ListField(child=LineRequest(), min_length=1, max_length=MAX_LINES)
    shipping = ShippingRequest()
    payment_token = serializers.CharField(
        max_length=255, default="", allow_blank=True, help_text="from the gateway; without it, pay later"
    )


class TrackingNumberField(serializers.RegexField):
    """As carriers print it: letters, digits and a few signs."""

    default_error_messages = {"invalid": "Expected 3 to 60 letters, digits, '-', '/' or '.'."}

    def __init__(self, **options: Any) -> None:
        super().__init__(r"\A[A-Za-z0-9][A-Za-z0-9./-]{2,59}\Z", **options)


class ShipRequest(StrictSerializer):
    """The body of `POST /api/orders/{id}/ship`."""

    carrier = serializers.CharField(max_length=60)
    tracking_number = TrackingNumberField()
    tracking_url = serializers.URLField(max_length=300, default="", allow_blank=True)


class StatusReport(StrictSerializer):
    """The body of `POST /api/shipments/status`."""

    tracking_number = TrackingNumberField()
    status = serializers.ChoiceField(ShipmentStatus.choices)


class ShipmentSerializer(serializers.ModelSerializer[Shipment]):
    class Meta:
        model = Shipment
        fields = ("carrier", "tracking_number", "tracking_url", "status", "shipped_at", "status_at")
        read_only_fields = fields


class ProductSerializer(serializers.ModelSerializer[Product]):
    price = serializers.CharField(read_only=True, help_text="as it is written, such as ₹1,23,456.00")
    available = serializers.IntegerField(source="free", read_only=True, help_text="pieces that can be ordered now")
    links = serializers.SerializerMethodField()

    class Meta:
        model = Product
        fields = (
            "sku",
            "name",
            "slug",
            "description",
            "category",
            "unit",
            "price_paise",
            "price",
            "gst_rate",
            "hsn",
            "available",
            "links",
        )
        read_only_fields = fields

    def get_links(self, product: Product) -> dict[str, str]:
        return {"self": reverse("product-detail", args=[product.sku])}


class LineSerializer(serializers.ModelSerializer[OrderLine]):
    unit_price = serializers.CharField(read_only=True)
    total = serializers.CharField(read_only=True)

    class Meta:
        model = OrderLine
        prices = ("unit_price_paise", "unit_price", "total_paise", "total")
        fields = ("sku", "name", "hsn", "gst_rate", "quantity", *prices)
        read_only_fields = fields


class ShippingSerializer(serializers.Serializer[Order]):
    name = serializers.CharField(source="shipping_name")
    line = serializers.CharField(source="shipping_line")
    city = serializers.CharField(source="shipping_city")
    state = serializers.CharField(source="shipping_state")
    pincode = serializers.CharField(source="shipping_pincode")
    phone = serializers.CharField()


class JobSerializer(serializers.ModelSerializer[Job]):
    class Meta:
        model = Job
        fields = ("name", "state", "attempt", "run_at", "finished_at", "progress", "progress_note", "result")
        read_only_fields = fields


class OrderSummary(serializers.ModelSerializer[Order]):
    """An order in a list."""

    total = serializers.CharField(read_only=True)
    links = serializers.SerializerMethodField()

    class Meta:
        model = Order
        fields: tuple[str, ...] = ("id", "state", "currency", "total_paise", "total", "placed_at", "links")
        read_only_fields = fields

    def get_links(self, order: Order) -> dict[str, str]:
        own = reverse("order-detail", args=[order.pk])
        return {"self": own, "pay": f"{own}/pay", "cancel": f"{own}/cancel", "payments": f"{own}/payments"}


class PlacedOrder(OrderSummary):
    """An order with its lines: the answer to placing it."""

    shipping = ShippingSerializer(source="*", read_only=True)
    lines = LineSerializer(many=True, read_only=True)

    class Meta(OrderSummary.Meta):
        fields = (*OrderSummary.Meta.fields, "paid_at", "cancelled_at", "shipping", "lines")
        read_only_fields = fields


class OrderDetail(PlacedOrder):
    """Everything about an order, with the background jobs that work on it."""

    shipment = ShipmentSerializer(read_only=True, allow_null=True, default=None)
    jobs = serializers.SerializerMethodField()

    class Meta(PlacedOrder.Meta):
        fields = (*PlacedOrder.Meta.fields, "shipment", "jobs")
        read_only_fields = fields

    @extend_schema_field(JobSerializer(many=True))
    def get_jobs(self, order: Order) -> Any:
        return JobSerializer(selectors.jobs_of(order), many=True).data

    def get_links(self, order: Order) -> dict[str, str]:
        links = super().get_links(order)
        if selectors.invoice_of(order):
            links["invoice"] = reverse("order-invoice", args=[order.pk])
            links["credit_notes"] = reverse("order-credit-notes", args=[order.pk])
        if order.state == OrderState.DELIVERED:
            links["returns"] = reverse("order-returns", args=[order.pk])
        return links
