from collections.abc import Iterator
from typing import Any

import pytest

from tests.smtp_sink import SmtpSink
from tests.web import Web


@pytest.fixture
def sink(settings: Any) -> Iterator[SmtpSink]:
    """A real SMTP server of this test's own, which Django's mail goes to."""
    with SmtpSink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = False, 5
        yield sink


@pytest.fixture
def web() -> Iterator[Web]:
    """An endpoint, on a port of its own."""
    with Web() as web:
        yield web
