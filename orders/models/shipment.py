"""The parcel of an order, from the moment it left."""

from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..states import ShipmentStatus
from .order import Order


class Shipment(models.Model):
    """What a carrier took. `services/shipping.py` alone writes it; `status` only goes forward."""

    order = models.OneToOneField(Order, models.CASCADE, related_name="shipment")
    carrier = models.CharField(max_length=60)
    tracking_number = models.CharField(max_length=60, unique=True)
    tracking_url = models.URLField(
        "tracking URL", max_length=300, blank=True, default="", validators=[URLValidator(schemes=["https", "http"])]
    )
    status = models.CharField(max_length=20, choices=ShipmentStatus.choices, default=ShipmentStatus.SHIPPED)
    shipped_at = models.DateTimeField(default=timezone.now)
    status_at = models.DateTimeField(default=timezone.now, help_text="when the status last changed")

    class Meta:
        constraints = (
            models.CheckConstraint(name="shipment_status_known", condition=Q(status__in=ShipmentStatus.values)),
        )
        default_permissions = ("view",)
        permissions = (("report_shipment_status", "Can report where a shipment is (carriers, partners)"),)

    def __str__(self) -> str:
        return f"{self.carrier} {self.tracking_number}"
