"""The fake of both providers as tests use it: on a thread of this process, so that a test can look into it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from payments.simulator.providers.server import Providers


@pytest.fixture(scope="session")
def providers_server() -> Iterator[Providers]:
    server = Providers()
    server.faults.hold = 0.3
    server.start()
    yield server
    server.stop()


@pytest.fixture
def providers(providers_server: Providers, settings: Settings) -> Iterator[Providers]:
    """The fake that the shop speaks to; it ends its silences itself. Each test has keys of its own."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = "sk_test_fake", "pk_test_fake"
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_old", "whsec_fake"]
    settings.STRIPE_API_BASE = f"{providers_server.address}/stripe"
    settings.RAZORPAY_KEY_ID, settings.RAZORPAY_KEY_SECRET = "rzp_test_fake", "rzp_secret_fake"
    settings.RAZORPAY_WEBHOOK_SECRETS = ["razor_old", "razor_fake"]
    settings.RAZORPAY_API_BASE = f"{providers_server.address}/razorpay"
    providers_server.faults.clear()
    yield providers_server
    providers_server.faults.clear()
