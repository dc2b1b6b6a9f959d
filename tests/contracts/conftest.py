import socket

import pytest
from pytest_django import Settings

from payments.gateways import GATEWAYS
from payments.simulator.providers.server import Providers
from tests.payments.gateway_process import GatewayProcess, gateway, gateway_process
from tests.providers.running import providers, providers_server
from tests.queues.conftest import ledger_db, processes, redis, test_database

from . import localstripe as judge
from .gateways import Bench, razorpay, simulated, stripe
from .localstripe import localstripe

__all__ = [
    "gateway",
    "gateway_process",
    "ledger_db",
    "localstripe",
    "processes",
    "providers",
    "providers_server",
    "redis",
    "test_database",
]


@pytest.fixture(params=[*sorted(GATEWAYS), "localstripe"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """Every registered gateway must have a fixture `bench_<name>`. What a gateway lacks is skipped with the reason."""
    bench: Bench = request.getfixturevalue(f"bench_{request.param}")
    name = request.node.originalname
    if name in bench.lacks:
        pytest.skip(bench.lacks[name])
    return bench


@pytest.fixture
def bench_simulated(gateway: GatewayProcess, settings: Settings) -> Bench:
    return simulated(gateway, lambda: setattr(settings, "SIMULATED_GATEWAY_URL", nobody_listens()))


@pytest.fixture
def bench_stripe(providers: Providers, settings: Settings) -> Bench:
    return stripe(providers, lambda: setattr(settings, "STRIPE_API_BASE", nobody_listens()))


@pytest.fixture
def bench_razorpay(providers: Providers, settings: Settings) -> Bench:
    return razorpay(providers, lambda: setattr(settings, "RAZORPAY_API_BASE", nobody_listens()))


@pytest.fixture
def bench_localstripe(localstripe: str, settings: Settings) -> Bench:
    return judge.bench(localstripe, settings, lambda: setattr(settings, "STRIPE_API_BASE", nobody_listens()))


def nobody_listens() -> str:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"
