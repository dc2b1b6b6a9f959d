"""One log line a request, and an id that ties all its lines together."""

import re
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

log = structlog.stdlib.get_logger("bharatmart.request")

_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_QUIET = ("/api/health", "/static/")


class RequestLog:
    """Binds `request_id` to the log context, answers it as X-Request-ID, and logs how the request went.

    The path is logged without its query, which may hold an e-mail address or a token.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        request_id = _request_id(request)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            _log(request, response, time.perf_counter() - began)
        return response


def _request_id(request: HttpRequest) -> str:
    given = request.headers.get("X-Request-ID", "")
    return given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex


def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    failed = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    write = log.error if failed else log.debug if request.path.startswith(_QUIET) else log.info
    write(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        duration_ms=round(seconds * 1000, 1),
        user_id=_user_id(request),
    )


def _user_id(request: HttpRequest) -> Any:
    """Whoever was found out while answering; looking now would cost a query and touch the session."""
    user = getattr(request, "_cached_user", None) or request.__dict__.get("user")
    if user is None or "_wrapped" in getattr(user, "__dict__", {}):
        return None
    return user.pk
