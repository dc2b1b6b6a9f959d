"""The contract of `payments.gateways.base`: one suite, every gateway, over real HTTP."""

import socket
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import transaction
from pytest_django import Settings

from payments.gateways import GATEWAYS, gateway_named
from payments.gateways.base import (
    Charge,
    ChargeStatus,
    Gateway,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUnknown,
    Intent,
    RefundStatus,
)
from tests.payments.gateway_process import GatewayProcess

from .gateways import Bench, simulated


@pytest.fixture(params=sorted(GATEWAYS))
def bench(request: pytest.FixtureRequest) -> Bench:
    """Every registered gateway must have a fixture `bench_<name>`."""
    return request.getfixturevalue(f"bench_{request.param}")


@pytest.fixture
def bench_simulated(gateway: GatewayProcess, settings: Settings) -> Bench:
    def disconnect() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            settings.SIMULATED_GATEWAY_URL = f"http://127.0.0.1:{unused.getsockname()[1]}"

    return simulated(gateway, disconnect)


def test_charge_captures_what_was_asked(bench: Bench):
    intent = bench.intent()

    charge = bench.gateway.charge(intent)

    assert charge == Charge(ChargeStatus.CAPTURED, charge.reference, 49_900, "INR")
    assert charge.reference
    assert bench.taken_paise(intent) == 49_900


def test_decline_is_an_answer_and_takes_nothing(bench: Bench):
    intent = bench.intent("decline")

    charge = bench.gateway.charge(intent)

    assert charge.status == ChargeStatus.DECLINED
    assert charge.reason
    assert bench.taken_paise(intent) == 0


def test_same_key_charges_once_and_answers_the_same(bench: Bench):
    intent = bench.intent()

    first, second = bench.gateway.charge(intent), bench.gateway.charge(intent)

    assert first == second
    assert bench.taken_paise(intent) == 49_900


def test_same_key_for_another_amount_is_refused(bench: Bench):
    intent = bench.intent()
    bench.gateway.charge(intent)

    with pytest.raises(GatewayRefused):
        bench.gateway.charge(replace(intent, amount_paise=50_000))

    assert bench.taken_paise(intent) == 49_900


def test_fetch_tells_what_charge_told(bench: Bench):
    paid, declined = bench.intent(), bench.intent("decline")

    charges = [bench.gateway.charge(paid), bench.gateway.charge(declined)]

    assert [bench.gateway.fetch(paid), bench.gateway.fetch(declined)] == charges


def test_fetch_of_an_unknown_intent_is_none(bench: Bench):
    assert bench.gateway.fetch(bench.intent()) is None


@pytest.mark.parametrize("token", ["answer lost", "error after"])
def test_trouble_after_the_effect_is_unknown_and_fetch_tells(bench: Bench, token: str):
    intent = bench.intent(token)

    with pytest.raises(GatewayUnknown):
        bench.gateway.charge(intent)

    found = bench.gateway.fetch(intent)
    assert found is not None
    assert (found.status, found.amount_paise) == (ChargeStatus.CAPTURED, 49_900)
    assert bench.taken_paise(intent) == 49_900


def test_lost_request_is_unknown_and_can_be_sent_again(bench: Bench):
    intent = bench.intent("request lost")

    with pytest.raises(GatewayUnknown):
        bench.gateway.charge(intent)

    assert bench.gateway.fetch(intent) is None
    assert bench.taken_paise(intent) == 0
    assert bench.gateway.charge(intent).status == ChargeStatus.CAPTURED
    assert bench.taken_paise(intent) == 49_900


def test_slow_request_and_its_repetition_charge_once(bench: Bench, settings: Settings):
    intent = bench.intent("slow")
    with pytest.raises(GatewayUnknown):
        bench.gateway.charge(intent)

    settings.GATEWAY_TIMEOUT = 5.0
    charge = bench.gateway.charge(intent)

    assert charge.status == ChargeStatus.CAPTURED
    assert bench.taken_paise(intent) == 49_900


def test_unreachable_gateway_has_certainly_done_nothing(bench: Bench):
    intent = bench.intent()
    bench.disconnect()

    for call in _calls(bench.gateway, intent):
        with pytest.raises(GatewayUnavailable):
            call()


def test_cancelled_intent_refuses_a_charge_that_comes_later(bench: Bench):
    intent = bench.intent()

    cancelled = bench.gateway.cancel(intent)
    late = bench.gateway.charge(intent)

    assert cancelled.status == late.status == ChargeStatus.CANCELLED
    assert bench.gateway.fetch(intent) == late
    assert bench.taken_paise(intent) == 0


def test_cancel_overtakes_a_request_on_its_way(bench: Bench, settings: Settings):
    settings.GATEWAY_TIMEOUT = 5.0
    intent, charges = bench.intent("slow"), []
    sender = threading.Thread(target=lambda: charges.append(bench.gateway.charge(intent)))
    sender.start()

    cancelled = bench.gateway.cancel(intent)
    sender.join()

    assert cancelled.status == charges[0].status == ChargeStatus.CANCELLED
    assert bench.taken_paise(intent) == 0


@pytest.mark.parametrize("token", ["success", "decline"])
def test_cancel_leaves_a_settled_intent_as_it_is(bench: Bench, token: str):
    intent = bench.intent(token)
    charge = bench.gateway.charge(intent)

    assert bench.gateway.cancel(intent) == charge


def test_cancel_twice_tells_the_same(bench: Bench):
    intent = bench.intent()

    assert bench.gateway.cancel(intent) == bench.gateway.cancel(intent)


def test_refund_gives_back_once_per_key(bench: Bench):
    reference = bench.gateway.charge(bench.intent(amount_paise=1_000)).reference

    first = bench.gateway.refund(reference, 600, f"one-{reference}")
    again = bench.gateway.refund(reference, 600, f"one-{reference}")
    rest = bench.gateway.refund(reference, 400, f"two-{reference}")

    assert first.status == rest.status == RefundStatus.SUCCEEDED
    assert first == again
    assert first.reference != rest.reference


def test_refund_above_the_capture_fails(bench: Bench):
    reference = bench.gateway.charge(bench.intent(amount_paise=1_000)).reference
    bench.gateway.refund(reference, 600, f"one-{reference}")

    result = bench.gateway.refund(reference, 401, f"two-{reference}")

    assert result.status == RefundStatus.FAILED
    assert result.reason


def test_refund_key_for_another_amount_is_refused(bench: Bench):
    reference = bench.gateway.charge(bench.intent(amount_paise=1_000)).reference
    bench.gateway.refund(reference, 300, f"one-{reference}")

    with pytest.raises(GatewayRefused):
        bench.gateway.refund(reference, 301, f"one-{reference}")


@pytest.mark.django_db(transaction=True)
def test_no_call_is_made_inside_a_transaction(bench: Bench):
    intent = bench.intent()

    with transaction.atomic():
        for call in _calls(bench.gateway, intent):
            with pytest.raises(RuntimeError, match="inside a transaction"):
                call()

    assert bench.gateway.fetch(intent) is None


def test_unknown_gateway_is_named():
    with pytest.raises(LookupError, match="no gateway is named 'paypol'; known: simulated"):
        gateway_named("paypol")


def _calls(gateway: Gateway, intent: Intent) -> list[Callable[[], object]]:
    return [
        lambda: gateway.charge(intent),
        lambda: gateway.fetch(intent),
        lambda: gateway.cancel(intent),
        lambda: gateway.refund("ch_1", 1, "refund-1"),
    ]
