"""What accounts do in the background."""

from importlib import import_module

from django.conf import settings

from notifications import services as notifications

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


def clear_sessions() -> None:
    """Delete the sessions that have expired; a log-in leaves one behind when nobody logs out."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
