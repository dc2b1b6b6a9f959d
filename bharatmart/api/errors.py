"""Every error of the API in one shape: `{"code": ..., "message": ..., "fields": {...}}`.

`code` is for programs, `message` for people; `fields` names what is wrong where. The handler gives the
shape to exceptions inside REST framework's views, `middleware.JsonErrors` to everything else under /api/.
"""

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

log = logging.getLogger(__name__)

AWAY = (OperationalError, InterfaceError)
CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    410: "session_gone",
    413: "request_too_large",
    429: "throttled",
    500: "internal_error",
    503: "unavailable",
}


class Unavailable(exceptions.APIException):
    """The shop cannot answer right now; try again in a moment."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The shop cannot answer right now; try again in a moment."
    default_code = "unavailable"
    wait = 5


def error_body(status: int, message: str = "", code: str = "", fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """The shape, with what is missing taken from the HTTP status."""
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    return {
        "code": code or CODES.get(status, phrase.lower().replace(" ", "_")),
        "message": message or f"{phrase}.",
        "fields": fields or {},
    }


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's EXCEPTION_HANDLER. None (a bug of ours) lets Django log it and answer 500."""
    known = _as_api_exception(error)
    if known is None:
        return None
    return Response(_body_of(known), status=known.status_code, headers=_headers_of(known))


def _as_api_exception(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, AWAY):
        log.error("the database does not answer", exc_info=error)
        return Unavailable()
    return None


def _body_of(error: exceptions.APIException) -> dict[str, Any]:
    codes, fields = error.get_codes(), dict(getattr(error, "fields", {}))
    if isinstance(error, exceptions.ValidationError):
        return error_body(400, "The request is not valid.", "invalid", fields | fields_of(error.detail))
    message = str(error.detail) if isinstance(error.detail, str) else ""
    return error_body(error.status_code, message, codes if isinstance(codes, str) else "", fields)


def _headers_of(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def fields_of(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Nested messages of a serializer made flat: {"lines.0.quantity": ["..."]}; without a field: "request"."""
    if isinstance(detail, dict):
        items = [(str(name), value) for name, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(value, (dict, list)) for value in detail):
        items = [(str(index), value) for index, value in enumerate(detail)]
    else:
        return {path or "request": [str(text) for text in (detail if isinstance(detail, list) else [detail])]}
    fields: dict[str, list[str]] = {}
    for name, value in items:
        step = "" if name in ("non_field_errors", "__all__") else name
        for place, messages in fields_of(value, ".".join(filter(None, (path, step)))).items():
            fields.setdefault(place, []).extend(messages)
    return fields
