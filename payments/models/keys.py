"""Idempotency keys, and when one must not be sent again."""

from datetime import timedelta
from uuid import uuid4

from django.db import models
from django.utils import timezone

KEY_LIFETIME = timedelta(hours=23)  # gateways forget idempotency keys after a day


def new_payment_key() -> str:
    """An idempotency key for one charge: random, so that a restored database never uses one again."""
    return f"pay-{uuid4().hex}"


def new_refund_key() -> str:
    """An idempotency key for one refund."""
    return f"refund-{uuid4().hex}"


class Keyed(models.Model):
    """A wish that bears an idempotency key, of which a new generation may be needed.

    `key_used_at` is when the present generation was first sent; `key_spoiled`: the gateway answered with an error of
    its own, which it would give again. `idempotency_key` alone is the wish's name at the gateway for all generations.
    """

    key_generation = models.PositiveSmallIntegerField(default=1)
    key_used_at = models.DateTimeField(null=True, blank=True)
    key_spoiled = models.BooleanField(default=False)

    idempotency_key: "models.CharField[str, str]"

    class Meta:
        abstract = True

    @property
    def key(self) -> str:
        """What is sent now."""
        generation = self.key_generation
        return self.idempotency_key if generation == 1 else f"{self.idempotency_key}-{generation}"

    @property
    def may_repeat_key(self) -> bool:
        """Whether the gateway surely still knows the key, and with an answer that is worth hearing again."""
        young = self.key_used_at is None or timezone.now() - self.key_used_at < KEY_LIFETIME
        return young and not self.key_spoiled

    def renew_key(self) -> None:
        """Take the next generation, once, whoever else tries: only after the gateway said that it made nothing."""
        model = type(self)
        same = model._default_manager.filter(pk=self.pk, key_generation=self.key_generation)
        same.update(key_generation=self.key_generation + 1, key_used_at=timezone.now(), key_spoiled=False)
        self.refresh_from_db()

    def spoil_key(self) -> None:
        """Remember that the present generation has an error for an answer."""
        same = type(self)._default_manager.filter(pk=self.pk, key_generation=self.key_generation)
        same.update(key_spoiled=True)
        self.key_spoiled = True
