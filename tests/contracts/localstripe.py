"""localstripe, somebody else's Stripe, as a process of its own: a judge that is not ours.

It leaves out of an intent what it was paid and could be; that is added here, from the members that it has.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import Settings

from payments.gateways.base import Gateway, Intent
from payments.gateways.stripe import StripeGateway

from .gateways import Bench, with_token

CARDS = {"success": "4242424242424242", "decline": "4000000000000341"}
START = """
from localstripe import resources, server
resources.Store.dump_to_disk = lambda store: None  # else into one file for all users and runs of the machine
server.start()
"""
NO_KEYS = "localstripe ignores the Idempotency-Key"
NO_FAULTS = "localstripe cannot be made to fail"
NO_NAME = "localstripe does not name the intent that was declined"
NO_LEDGER = "localstripe refunds more than was captured"
LACKS = {
    "test_same_key_charges_once_and_answers_the_same": NO_KEYS,
    "test_same_key_for_another_amount_is_refused": NO_KEYS,
    "test_cancelled_intent_refuses_a_charge_that_comes_later": NO_KEYS,
    "test_cancel_overtakes_a_request_on_its_way": NO_FAULTS,
    "test_trouble_after_the_effect_is_unknown_until_fetch": NO_FAULTS,
    "test_lost_request_is_unknown_and_can_be_sent_again": NO_FAULTS,
    "test_slow_request_and_its_repetition_charge_once": NO_FAULTS,
    "test_refund_pays_once_per_key": NO_KEYS,
    "test_refund_key_for_another_amount_is_refused": NO_KEYS,
    "test_fetch_returns_what_charge_returned": NO_NAME,
    "test_refund_above_the_capture_fails": NO_LEDGER,
}


class CompletedStripe(StripeGateway):
    """The gateway itself, with the amounts that localstripe leaves out."""

    def _create(self, wish: Any, key: str) -> Any:
        return self._retrieve(super()._create(wish, key)["id"])

    def _retrieve(self, reference: str) -> Any:
        return completed(super()._retrieve(reference))

    def _act(self, step: str, reference: str) -> Any:
        return completed(super()._act(step, reference))


def completed(made: Any) -> Any:
    paid, held = made["status"] == "succeeded", made["status"] == "requires_capture"
    return {**made, "amount_received": made["amount"] * paid, "amount_capturable": made["amount"] * held}


class LocalstripeBench(Bench):
    @property
    def gateway(self) -> Gateway:
        return CompletedStripe()


@pytest.fixture(scope="session")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address."""
    folder = tmp_path_factory.mktemp("localstripe")
    with socket.socket(socket.AF_INET6) as free:
        free.bind(("::", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", START, "--port", str(port), "--from-scratch"]
    log = (folder / "log").open("w")
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process, folder / "log")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)
        log.close()


def _wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            requests.get(f"{address}/v1/customers", auth=("sk_test_fake", ""), timeout=10)
            return
        except requests.RequestException:
            time.sleep(0.05)
    raise AssertionError(f"localstripe did not start:\n{log.read_text()}")


def bench(address: str, settings: Settings, disconnect: Callable[[], None]) -> Bench:
    """localstripe behind the same gateway that speaks to Stripe."""
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.GATEWAY_TIMEOUT = "sk_test_fake", address, 10.0

    def ask(method: str, path: str, **data: str) -> Any:
        answer = requests.request(method, f"{address}{path}", data=data, auth=("sk_test_fake", ""), timeout=10)
        assert answer.ok, answer.text
        return json.loads(answer.text)

    def arrange(scene: str, intent: Intent) -> Intent:
        card = {"card[number]": CARDS[scene], "card[exp_month]": "12", "card[exp_year]": "30", "card[cvc]": "123"}
        return with_token(intent, ask("POST", "/v1/payment_methods", type="card", **card)["id"])

    def taken_paise(intent: Intent) -> int:
        made = ask("GET", "/v1/payment_intents?limit=100")["data"]
        named = [one for one in made if one["metadata"].get("payment") == intent.name]
        return sum(one["amount"] for one in named if one["status"] == "succeeded")

    return LocalstripeBench("stripe", arrange, taken_paise, disconnect, lacks=LACKS)
