"""Messages to people, one row each. `services.py` alone writes the state."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ..states import NotificationState


class Notification(models.Model):
    """One message, sent at most once per `key`. `context` is what its template shows; never a secret."""

    kind = models.CharField(max_length=40)
    to = models.CharField(max_length=254, db_index=True)
    context = models.JSONField(default=dict)
    key = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=10, choices=NotificationState.choices, default=NotificationState.PENDING)
    subject = models.CharField(max_length=250, blank=True, default="")
    message_id = models.CharField(max_length=200, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="notification_state_known", condition=Q(state__in=NotificationState.values)),
            models.CheckConstraint(
                name="notification_sent_at_when_sent",
                condition=Q(state=NotificationState.SENT, sent_at__isnull=False)
                | (~Q(state=NotificationState.SENT) & Q(sent_at=None)),
            ),
        )
        indexes = (
            models.Index(fields=("state", "-id"), name="notification_unsent", condition=~Q(state="sent")),
            models.Index(fields=("kind", "-id"), name="notification_kind"),
        )
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.kind} to {self.to}"
