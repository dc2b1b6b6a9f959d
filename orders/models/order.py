"""An order, its lines and its log."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ..money import format_rupees
from ..places import STATE_CODES
from ..states import UNPAID, OrderEvent, OrderState
from .catalogue import Product


class Order(models.Model):
    """What a customer bought. Prices and address are frozen here; only `services/lifecycle.py` moves `state`."""

    customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="orders")
    email = models.EmailField()
    state = models.CharField(max_length=20, choices=OrderState.choices, default=OrderState.PENDING)
    currency = models.CharField(max_length=3, default="INR")
    total_paise = models.BigIntegerField(help_text="in paise, GST included")
    payment_token = models.CharField(max_length=255, blank=True, default="", help_text="the gateway's single-use token")
    shipping_name = models.CharField(max_length=120)
    shipping_line = models.CharField(max_length=250)
    shipping_city = models.CharField(max_length=80)
    shipping_state = models.CharField(max_length=60, choices=[(state, state) for state in STATE_CODES])
    shipping_pincode = models.CharField(max_length=6, validators=[RegexValidator(r"\A[1-9][0-9]{5}\Z")])
    phone = models.CharField(max_length=20)
    placed_at = models.DateTimeField(default=timezone.now)
    paid_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="order_total_not_negative", condition=Q(total_paise__gte=0)),
            models.CheckConstraint(name="order_state_known", condition=Q(state__in=OrderState.values)),
        )
        indexes = (
            models.Index(fields=("customer", "-id"), name="order_of_customer"),
            models.Index(fields=("state", "-id"), name="order_state"),
            models.Index(fields=("placed_at",), name="order_unpaid", condition=Q(state__in=UNPAID)),
        )
        permissions = (("ship_order", "Can ship orders and mark them as delivered"),)

    def __str__(self) -> str:
        return f"order {self.pk}"

    @property
    def total(self) -> str:
        return format_rupees(self.total_paise)


class OrderLine(models.Model):
    """A product as it was when it was bought; `total_paise` = quantity x unit price, GST included."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    sku = models.CharField("SKU", max_length=40)
    name = models.CharField(max_length=200)
    hsn = models.CharField("HSN", max_length=8)
    gst_rate = models.PositiveSmallIntegerField("GST rate")
    quantity = models.PositiveIntegerField()
    unit_price_paise = models.BigIntegerField()
    total_paise = models.BigIntegerField()
    returned = models.PositiveIntegerField(db_default=0, default=0, help_text="pieces in returns, if not rejected")

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("order", "product"), name="line_once_per_product"),
            models.CheckConstraint(name="line_quantity_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(name="line_price_not_negative", condition=Q(unit_price_paise__gte=0)),
            models.CheckConstraint(name="line_returned_within_bought", condition=Q(returned__lte=F("quantity"))),
            models.CheckConstraint(
                name="line_total_is_product", condition=Q(total_paise=F("unit_price_paise") * F("quantity"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity} x {self.name}"

    @property
    def unit_price(self) -> str:
        return format_rupees(self.unit_price_paise)

    @property
    def total(self) -> str:
        return format_rupees(self.total_paise)


class OrderLog(models.Model):
    """What happened to an order, in order. Rows are only ever added."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="log")
    at = models.DateTimeField(default=timezone.now)
    event = models.CharField(max_length=20, choices=OrderEvent.choices)
    detail = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("id",)
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.event
