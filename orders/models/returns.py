"""What customers send back."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ..money import format_rupees
from ..states import ReturnState
from .order import Order, OrderLine


class ReturnRequest(models.Model):
    """Goods of a delivered order on their way back. `services/returns.py` alone writes it.

    `refund_number` is the refund in the app above; with it the money is asked for once.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="returns")
    state = models.CharField(max_length=10, choices=ReturnState.choices, default=ReturnState.REQUESTED)
    reason = models.CharField(max_length=500)
    amount_paise = models.BigIntegerField(help_text="what its goods have cost, GST included")
    requested_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    refund_number = models.PositiveBigIntegerField("refund", null=True, blank=True, unique=True)
    unpaid_because = models.CharField(max_length=300, blank=True, default="", help_text="why the money is not there")
    paid_otherwise = models.CharField(max_length=300, blank=True, default="", help_text="how, if by no refund")

    class Meta:
        verbose_name = "return"
        constraints = (
            models.CheckConstraint(name="return_state_known", condition=Q(state__in=ReturnState.values)),
            models.CheckConstraint(name="return_amount_positive", condition=Q(amount_paise__gt=0)),
        )
        default_permissions = ("view",)
        permissions = (
            ("receive_return", "Can say that returned goods have come"),
            ("settle_return", "Can have the money of a return sent again, or say that it was paid otherwise"),
        )

    def __str__(self) -> str:
        return f"return {self.pk}"

    @property
    def amount(self) -> str:
        return format_rupees(self.amount_paise)


class ReturnLine(models.Model):
    """So many pieces of a line; of them `damaged` ones do not go back on the shelf."""

    return_request = models.ForeignKey(ReturnRequest, models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="return_lines")
    quantity = models.PositiveIntegerField()
    damaged = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("return_request", "line"), name="return_line_once"),
            models.CheckConstraint(name="return_quantity_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(name="return_damaged_within", condition=Q(damaged__lte=F("quantity"))),
        )
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.quantity} x {self.line_id}"

    @property
    def amount_paise(self) -> int:
        return self.quantity * self.line.unit_price_paise

    @property
    def total(self) -> str:
        return format_rupees(self.amount_paise)
