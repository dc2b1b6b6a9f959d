"""The reports of reconciliation."""

from django.db import models


class Reconciliation(models.Model):
    """One run: how many payments the gateways were asked about, and what came of it."""

    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    asked = models.PositiveIntegerField(default=0)
    settled = models.PositiveIntegerField(default=0, help_text="Payments whose state was behind the gateway's.")
    differing = models.PositiveIntegerField(default=0, help_text="Payments whose amounts differ: given to review.")
    unanswered = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=list, blank=True)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"reconciliation {self.pk}"
