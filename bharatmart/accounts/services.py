"""What accounts do in the background."""

from importlib import import_module
from uuid import uuid4

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.db import transaction

from notifications import services as notifications
from queues import Cancel

from . import events
from .models import User


def send_welcome(user_id: int) -> None:
    """Mail the welcome of a new account, once. An account deleted meanwhile gets none."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        return
    notifications.send(
        kind="welcome",
        to=user.email,
        context={"name": user.get_short_name(), "shop": settings.SHOP_NAME},
        key=f"welcome-{user_id}",
    )


@transaction.atomic
def request_password_reset(email: str) -> None:
    """Have a job mail a key for a new password, if an active account has this address (in lower case)."""
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None:
        return
    context = {"user_id": user.pk, "name": user.get_short_name(), "shop": settings.SHOP_NAME}
    key = f"password-reset-{user.pk}-{uuid4()}"
    notification, _ = notifications.record(kind="password_reset", to=user.email, context=context, key=key)
    events.password_reset_requested.emit(user_id=user.pk, notification_id=notification.pk)


def send_password_reset(user_id: int, notification_id: int) -> None:
    """Send the recorded mail with a key made now. Raises queues.Cancel if the account is gone or has moved on."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not notifications.is_addressed_to(notification_id, user.email):
        raise Cancel("the account is gone, or has another address by now")
    notifications.deliver(notification_id, secrets=lambda: _secrets_of(user))


def _secrets_of(user: User) -> dict[str, str]:
    """Valid for PASSWORD_RESET_TIMEOUT, and until the next log-in or change of the password."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    return {"key": key, "link": settings.PASSWORD_RESET_URL.replace("{key}", key)}


def clear_sessions() -> None:
    """Delete the sessions that have expired; a log-in leaves one behind when nobody logs out."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
