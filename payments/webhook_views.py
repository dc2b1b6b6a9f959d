"""The door for the providers' webhooks: no session, no throttle; the signature over the raw body alone lets in."""

import logging
from http import HTTPStatus

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .errors import BadWebhook
from .services import webhooks

LARGEST = 256 * 1024  # bytes; events have a few thousand
log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def receive(request: HttpRequest, provider: str) -> JsonResponse:
    """200 once the event is kept, also for a repetition; 400 for what the provider did not sign; 413; 404."""
    if provider not in webhooks.RECEIVED:
        return _answer(HTTPStatus.NOT_FOUND, "not_found", "No such provider.")
    body = request.body
    if len(body) > LARGEST:
        return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"An event has at most {LARGEST} bytes.")
    try:
        webhooks.receive(provider, body, request.headers)
    except BadWebhook as error:
        log.warning("a webhook of %s was refused: %s", provider, error)
        return _answer(HTTPStatus.BAD_REQUEST, "bad_webhook", str(error))
    return JsonResponse({"received": True})


def _answer(status: HTTPStatus, code: str, message: str) -> JsonResponse:
    return JsonResponse({"code": code, "message": message, "fields": {}}, status=status)
