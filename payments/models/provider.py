"""What is known of the providers themselves: the events that they sent, and whether they answer."""

from django.db import models

from ..states import ProviderEventState


class ProviderEvent(models.Model):
    """One webhook that was verified: a hint to ask the provider. Of its body only the names in it are kept."""

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=100)
    references = models.JSONField(default=dict, blank=True, help_text="The provider's names of what it is about.")
    state = models.CharField(max_length=10, choices=ProviderEventState, default=ProviderEventState.RECEIVED)
    received_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        constraints = (models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_once"),)
        indexes = (models.Index(fields=["state", "-id"], name="provider_event_state"),)

    def __str__(self) -> str:
        return f"{self.provider} {self.kind}"


class GatewayHealth(models.Model):
    """A gateway's circuit breaker (gateways/breaker.py): how many calls in a row had no answer, and since when open."""

    gateway = models.CharField(max_length=20, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "gateway health"

    def __str__(self) -> str:
        return self.gateway
