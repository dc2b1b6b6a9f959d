"""The wire to the gateway: open it changes nothing, silent it loses answers and no request."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from tests.payments.gateway_process import GatewayProcess, own_gateway

from .wire import Wire

__all__ = ["own_gateway"]

CHARGE = {"amount_paise": 49_900, "currency": "INR", "token": "tok_success"}


@pytest.fixture
def wire(own_gateway: GatewayProcess) -> Iterator[Wire]:
    wire = Wire(int(urlsplit(own_gateway.url).port or 0))
    yield wire
    wire.close()


def charge(url: str, key: str) -> requests.Response:
    return requests.post(f"{url}/charges", json=CHARGE, headers={"Idempotency-Key": key}, timeout=1)


def test_an_open_wire_passes_requests_and_answers_on(wire: Wire, own_gateway: GatewayProcess) -> None:
    answer = charge(wire.start(), "pay-1")

    assert (answer.status_code, answer.json()["status"]) == (200, "captured")
    assert own_gateway.taken_paise("pay-1") == 49_900
    assert wire.lost == 0


def test_a_silent_wire_loses_the_answer_after_the_effect(wire: Wire, own_gateway: GatewayProcess) -> None:
    url = wire.start()
    wire.silent = True

    with pytest.raises(requests.ReadTimeout):
        charge(url, "pay-1")

    assert own_gateway.taken_paise("pay-1") == 49_900
    assert wire.lost == 1
