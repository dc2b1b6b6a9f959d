"""What the ERP was told about orders."""

from django.db import models
from django.db.models.functions import Now

from .order import Order


class ErpDelivery(models.Model):
    """An order in one of its states, as it is told to the ERP: always the same body under the same key."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="erp_deliveries")
    key = models.CharField(max_length=60, unique=True, help_text="the Idempotency-Key: order-<id>-<state>")
    body = models.TextField(help_text="JSON, to the byte as it is sent")
    attempts = models.PositiveIntegerField(default=0)
    answer = models.CharField(max_length=200, blank=True, default="", help_text="to the last attempt")
    created_at = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "ERP delivery"
        verbose_name_plural = "ERP deliveries"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.key
