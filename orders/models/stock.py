"""What lies on the shelf, and who has a claim on it. Only `services/stock.py` changes these rows."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from ..states import MovementReason, ReservationState
from .catalogue import Product
from .order import Order


class Stock(models.Model):
    """The pieces of a product: `on_hand` on the shelf, of which `reserved` belong to unfinished orders."""

    product = models.OneToOneField(Product, models.PROTECT, primary_key=True, related_name="stock")
    on_hand = models.PositiveIntegerField(default=0)
    reserved = models.PositiveIntegerField(default=0)
    low_since = models.DateTimeField(null=True, blank=True, editable=False, help_text="when staff was told of it")

    class Meta:
        verbose_name_plural = "stock"
        constraints = (
            models.CheckConstraint(
                name="stock_reserved_within_on_hand", condition=Q(reserved__gte=0, reserved__lte=F("on_hand"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.free} free"

    @property
    def free(self) -> int:
        return self.on_hand - self.reserved


class StockMovement(models.Model):
    """One change of a product's stock, written in the statement that makes it. Rows are only ever added.

    The sums of a product's movements are its row in Stock; `selectors.stock_off_the_ledger` looks.
    """

    product = models.ForeignKey(Product, models.PROTECT, related_name="movements")
    on_hand = models.IntegerField("on the shelf", help_text="difference in pieces")
    reserved = models.IntegerField(help_text="difference in pieces")
    reason = models.CharField(max_length=12, choices=MovementReason.choices)
    order = models.ForeignKey(Order, models.PROTECT, null=True, blank=True, related_name="stock_movements")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.CheckConstraint(name="movement_reason_known", condition=Q(reason__in=MovementReason.values)),
            models.CheckConstraint(name="movement_moves", condition=~Q(on_hand=0, reserved=0)),
        )
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.reason} {self.on_hand:+d} on the shelf, {self.reserved:+d} reserved"


class Reservation(models.Model):
    """An order's claim on stock. `held` counts in Stock.reserved, `committed` has left the shelf."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="reservations")
    product = models.ForeignKey(Product, models.PROTECT, related_name="reservations")
    quantity = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=ReservationState.choices, default=ReservationState.HELD)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("order", "product"), name="reservation_once_per_product"),
            models.CheckConstraint(name="reservation_quantity_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(name="reservation_state_known", condition=Q(state__in=ReservationState.values)),
        )
        indexes = (models.Index(fields=("order",), name="reservation_held", condition=Q(state=ReservationState.HELD)),)

    def __str__(self) -> str:
        return f"{self.quantity} {self.state}"
