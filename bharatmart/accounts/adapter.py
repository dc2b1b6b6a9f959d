"""How allauth behaves here."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.validators import MaxLengthValidator

from .models import User


class MailNotWired(RuntimeError):
    """allauth wants to send a mail that has no job yet: add a kind to notifications and route it here."""


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth without its own mails: nothing is sent in a request, and no secret waits in a table."""

    def clean_email(self, email: str) -> str:
        """Refuse an address that the column cannot hold; allauth would cut it short."""
        MaxLengthValidator(User._meta.get_field("email").max_length)(email)
        return email

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Refuse: our own views ask for the mails; a secret must be made at sending time, by a job."""
        raise MailNotWired(f"{template_prefix} is not wired")
