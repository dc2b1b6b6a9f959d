"""Who is asking: the session behind `X-Session-Token` (apps) or behind the cookie (browsers)."""

import re
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from bharatmart.accounts.models import User

_TOKEN = re.compile(r"[a-z0-9]{8,64}")


class SessionTokenAuthentication(BaseAuthentication):
    """The token that sign-up and log-in return as `meta.session_token`.

    Without the header the next class is asked. A wrong one is refused with 401 even where no log-in is
    needed, so that nobody shops as a stranger by mistake.
    """

    def authenticate(self, request: Request) -> tuple[User, SessionBase] | None:
        token = request.headers.get("X-Session-Token")
        if token is None:
            return None
        session = _session(token)
        user = _user_of(session) if session else None
        if session is None or user is None:
            raise AuthenticationFailed("The session token is wrong or has expired.", code="invalid_token")
        return user, session

    def authenticate_header(self, request: Request) -> str:
        return 'X-Session-Token realm="api"'


def _session(token: str) -> SessionBase | None:
    if not _TOKEN.fullmatch(token):
        return None
    store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(token)
    return store


def _user_of(session: SessionBase) -> User | None:
    request = HttpRequest()
    request.session = session
    user = get_user(request)
    return None if isinstance(user, AnonymousUser) else user
