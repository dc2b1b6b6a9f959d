"""What the engine takes for now."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone


def now() -> datetime:
    """The current time, aware; tests shift it in every process by QUEUE_CLOCK_SHIFT seconds."""
    return timezone.now() + timedelta(seconds=settings.QUEUE_CLOCK_SHIFT)
