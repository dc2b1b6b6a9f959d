"""HTTP POST to an address that strangers chose: checked, pinned, timed, no redirects; the answer's body is not read."""

import socket
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from ..errors import AddressRefused
from .addresses import resolve

UNREACHABLE = (OSError, HTTPException)
"""What `post` raises when there is no answer; ssl.SSLError and time-outs are OSErrors."""


def mistake_in(url: str) -> str:
    """What is wrong with an endpoint's URL, in words, or nothing. Where its host leads is looked at when sending."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "Expected an address such as https://shop.example/hook."
    if parts.scheme != "https" and not (settings.DEBUG and parts.scheme == "http"):
        return "Expected an https address."
    if not parts.hostname or parts.username is not None or parts.fragment or port == 0:
        return "Expected a host, and neither a user nor a fragment."
    if not url.isascii() or not url.isprintable() or " " in url:
        return "Expected ASCII without spaces; encode the rest."
    return ""


def post(url: str, body: bytes, headers: dict[str, str], timeout: float) -> int:
    """Send it; the status of the answer. Raises AddressRefused, or one of UNREACHABLE."""
    if mistake := mistake_in(url):
        raise AddressRefused(mistake)
    connection = _connection_to(urlsplit(url), timeout)
    try:
        connection.request("POST", _path_of(url), body=body, headers={"Connection": "close", **headers})
        return connection.getresponse().status
    finally:
        connection.close()


def _connection_to(parts: SplitResult, timeout: float) -> HTTPConnection:
    """Connects to the address that was checked; certificate and Host header are of the name."""
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    address = resolve(host, port)
    made = (
        HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
        if is_tls
        else HTTPConnection(host, port, timeout=timeout)
    )
    made._create_connection = lambda _, *rest: socket.create_connection((address, port), *rest)  # type: ignore[attr-defined]
    return made


def _path_of(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
