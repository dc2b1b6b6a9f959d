"""The states of a notification, as data.

    pending -> sending -> sent
               sending -> pending (temporary trouble: its job tries again) | failed (refused for good)
    failed  -> sending (an operator retried the job)

A sender that dies leaves `sending` behind; after settings.NOTIFICATION_LEASE another may take it over.
"""

from django.db.models import TextChoices


class NotificationState(TextChoices):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


CLAIMABLE = (NotificationState.PENDING, NotificationState.FAILED)


class DeliveryState(TextChoices):
    """pending -> delivered | failed (the last attempt); failed -> delivered; an operator makes either pending again."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
