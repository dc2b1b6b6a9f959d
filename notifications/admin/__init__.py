"""Messages and webhooks, for staff."""

from . import mail, webhooks

__all__ = ["mail", "webhooks"]
