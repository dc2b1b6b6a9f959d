"""Telling the ERP: `POST {ERP_URL}` with JSON, an Idempotency-Key and a signature (notifications/signing.py)."""

import time

import requests
from django.conf import settings

from notifications.signing import HEADER, sign


def post(key: str, body: bytes) -> requests.Response:
    """The ERP's answer. Raises requests.RequestException when there is none."""
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": key,
        HEADER: sign(settings.ERP_SECRET, body, int(time.time())),
    }
    return requests.post(
        settings.ERP_URL, data=body, headers=headers, timeout=settings.ERP_TIMEOUT, allow_redirects=False
    )
