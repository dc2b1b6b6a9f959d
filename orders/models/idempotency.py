"""The answers given under an Idempotency-Key."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class IdempotencyKey(models.Model):
    """One request that must have its effect once, and the answer it got."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64, help_text="SHA-256 of the request's canonical JSON")
    response_status = models.PositiveSmallIntegerField(help_text="0 until the answer is kept, before the commit")
    response_body = models.TextField(default="", help_text="JSON as text: a replay is the same to the byte")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "key"), name="idempotency_key_of_user"),)
        indexes = (models.Index(fields=("created_at",), name="idempotency_key_age"),)
        default_permissions = ()

    def __str__(self) -> str:
        return self.key
