"""What lies on the shelf, and who has a claim on it. Only `services/stock.py` changes these rows."""

from django.db import models
from django.db.models import F, Q

from ..states import ReservationState
from .catalogue import Product
from .order import Order


class Stock(models.Model):
    """The pieces of a product: `on_hand` on the shelf, of which `reserved` belong to unfinished orders."""

    product = models.OneToOneField(Product, models.PROTECT, primary_key=True, related_name="stock")
    on_hand = models.PositiveIntegerField(default=0)
    reserved = models.PositiveIntegerField(default=0)

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

    def __str__(self) -> str:
        return f"{self.quantity} {self.state}"
