"""Turn allauth's signals into events of ours."""

from typing import Any

from allauth.account.signals import user_signed_up
from django.dispatch import receiver

from . import events
from .models import User


@receiver(user_signed_up)
def tell_registration(user: User, **kwargs: Any) -> None:
    """Sent inside the sign-up's transaction (views.SignUp), so the welcome mail exists iff the account does."""
    events.user_registered.emit(user_id=user.pk)
