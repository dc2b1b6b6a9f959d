"""No HTML under /api/: whatever answers an error there, Django included, it leaves as our JSON."""

import json
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from .errors import AWAY, Unavailable, error_body, fields_of

log = logging.getLogger(__name__)

Next = Callable[[HttpRequest], HttpResponse]


class JsonErrors:
    """Gives the error shape to answers that REST framework's handler did not make.

    Must be outermost: it also sees what other middleware refuses. allauth's answers under /api/auth/
    keep their documented members and get ours beside them.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        if _body_length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return _too_large()
        response = self.get_response(request)
        if response.status_code < HTTPStatus.BAD_REQUEST:
            return response
        return _in_shape(response)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A database that is away is no bug of the view: 503, so that the client comes again."""
        if not request.path_info.startswith("/api/") or not isinstance(error, AWAY):
            return None
        log.error("the database does not answer", exc_info=error)
        headers = {"Retry-After": str(Unavailable.wait)}
        return JsonResponse(error_body(503, Unavailable.default_detail), status=503, headers=headers)


def _body_length(request: HttpRequest) -> int:
    """The length the client declares; the server reads no more than that, and nothing when it is missing."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _too_large() -> HttpResponse:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return _in_shape(JsonResponse(error_body(413, f"The body is larger than {limit} bytes."), status=413))


def _in_shape(response: HttpResponse) -> HttpResponse:
    shaped = _json_of(response)
    if shaped is None:
        shaped = error_body(response.status_code)
    elif not {"code", "message", "fields"} <= shaped.keys():
        shaped |= _shape_of_allauth(response.status_code, shaped)
    response.content = json.dumps(shaped, ensure_ascii=False).encode()
    response["Content-Type"] = "application/json"
    response["Content-Length"] = str(len(response.content))
    return response


def _json_of(response: HttpResponse) -> dict[str, Any] | None:
    if response.streaming or not response.get("Content-Type", "").startswith("application/json"):
        return None
    try:
        body = json.loads(response.content)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _shape_of_allauth(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """allauth's {"errors": [{"code", "message", "param"}]} said in our words."""
    errors = [error for error in body.get("errors", []) if isinstance(error, dict)]
    fields: dict[str, list[str]] = {}
    for error in errors:
        fields.setdefault(error.get("param", "request"), []).append(str(error.get("message", "")))
    if not errors:
        return error_body(status)
    code = str(errors[0].get("code", "")) if len(errors) == 1 else "invalid"
    return error_body(status, str(errors[0].get("message", "")), code, fields_of(fields))
