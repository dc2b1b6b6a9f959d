"""The HTTP session that the vendors' SDKs use: a time-out on every request, and errors that say what may have happened.

The SDKs cannot tell a lost request from a lost answer, and Razorpay's neither a 429 from a 500 nor a proxy's HTML
from an answer; here all that is still known. Our errors are none of requests', so both SDKs let them pass.
"""

from typing import Any

import requests
from django.conf import settings
from urllib3.exceptions import MaxRetryError, NewConnectionError

from .base import GatewayUnavailable, GatewayUnknown, refuse_open_transaction

TOO_MANY, SERVER_ERROR = 429, 500


class Wire(requests.Session):
    """Raises GatewayUnavailable or GatewayUnknown unless a JSON object came back with a status below 500."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        refuse_open_transaction()
        options |= {"timeout": (settings.GATEWAY_TIMEOUT, settings.GATEWAY_TIMEOUT), "allow_redirects": False}
        what = f"{request.method} {request.path_url.partition('?')[0]}"
        try:
            response = super().send(request, **options)
        except requests.RequestException as error:
            told = f"{what}: {type(error).__name__}"
            raise (GatewayUnavailable(told) if never_connected(error) else GatewayUnknown(told)) from error
        _check(response, what)
        return response


def never_connected(error: requests.RequestException) -> bool:
    """True if the request cannot have left this machine."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


def _check(response: requests.Response, what: str) -> None:
    status = response.status_code
    if status == TOO_MANY:
        raise GatewayUnavailable(f"{what}: status {status}")
    if status >= SERVER_ERROR:
        raise GatewayUnknown(f"{what}: status {status}", kept=True)
    if 300 <= status < 400 or not _is_object(response):
        raise GatewayUnknown(f"{what}: status {status} with a body that is not a JSON object")


def _is_object(response: requests.Response) -> bool:
    try:
        return isinstance(response.json(), dict)
    except ValueError:
        return False
