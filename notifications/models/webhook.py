"""Webhooks that the shop sends: who gets them, and what became of each."""

import secrets
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ..sealing import seal, unseal
from ..states import DeliveryState


def make_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


def make_sealed_secret() -> str:
    return seal(make_secret())


class WebhookEndpoint(models.Model):
    """An address that wants to know of some events. `secret` signs what is sent; it is shown once, when it is made.

    It lies here encrypted (sealing.py): who reads the database alone can forge nothing.
    """

    url = models.CharField("URL", max_length=500)
    events = ArrayField(models.CharField(max_length=40), help_text="such as order.paid")
    contact = models.EmailField(help_text="told when the endpoint is switched off")
    sealed_secret = models.CharField(max_length=300, default=make_sealed_secret, editable=False)
    is_active = models.BooleanField("active", default=True)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    switched_off_at = models.DateTimeField(null=True, blank=True, editable=False)
    jobs_told_until = models.DateTimeField(db_default=Now(), editable=False, help_text="end of the last look at jobs")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        permissions = (("redeliver_webhook", "Can send webhooks again"),)

    def __str__(self) -> str:
        return self.url

    @property
    def secret(self) -> str:
        """Raises SecretUnreadable."""
        return unseal(self.sealed_secret)


class WebhookDelivery(models.Model):
    """One event for one endpoint. `message_id` and `body` stay the same however often it is sent."""

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    message_id = models.UUIDField(default=uuid4)
    event = models.CharField(max_length=40)
    source = models.CharField(max_length=100, help_text="what it tells of: once per endpoint")
    body = models.TextField(help_text="JSON, to the byte as it is sent")
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True, help_text="of the last answer")
    error = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    attempted_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = (
            models.UniqueConstraint(fields=("endpoint", "source"), name="webhook_once_per_source"),
            models.CheckConstraint(name="webhook_state_known", condition=Q(state__in=DeliveryState.values)),
        )
        indexes = (models.Index(fields=("created_at",), name="webhook_delivery_age"),)
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.event} {self.message_id}"
