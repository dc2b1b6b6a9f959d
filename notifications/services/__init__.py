"""Messages to people (`mail`, whose names are here) and to programs (`webhooks`)."""

from .mail import deliver, is_addressed_to, notify, record, send

__all__ = ["deliver", "is_addressed_to", "notify", "record", "send"]
