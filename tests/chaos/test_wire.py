"""The wire to the gateway: open it changes nothing, silent it loses answers and no request."""

import json
import select
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from tests.payments.gateway_process import GatewayProcess, own_gateway
from tests.processes import wait_for

from .wire import Wire

__all__ = ["own_gateway"]

CHARGE = {"amount_paise": 49_900, "currency": "INR", "token": "tok_success"}


@pytest.fixture
def wire(own_gateway: GatewayProcess) -> Iterator[Wire]:
    wire = Wire(int(urlsplit(own_gateway.url).port or 0))
    yield wire
    wire.close()


def test_an_open_wire_passes_requests_and_answers_on(wire: Wire, own_gateway: GatewayProcess) -> None:
    answer = requests.post(f"{wire.start()}/charges", json=CHARGE, headers={"Idempotency-Key": "pay-1"}, timeout=20)

    assert (answer.status_code, answer.json()["status"]) == (200, "captured")
    assert own_gateway.taken_paise("pay-1") == 49_900
    assert wire.lost == 0


def test_a_silent_wire_loses_the_answer_after_the_effect(wire: Wire, own_gateway: GatewayProcess) -> None:
    address = urlsplit(wire.start()).netloc
    wire.silent = True

    with closing(HTTPConnection(address)) as client:
        client.request("POST", "/charges", json.dumps(CHARGE), {"Idempotency-Key": "pay-1"})
        wait_for(lambda: wire.lost == 1)
        answers, _, _ = select.select([client.sock], [], [], 0.2)

    assert answers == []
    assert own_gateway.taken_paise("pay-1") == 49_900
