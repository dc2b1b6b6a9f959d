"""The contract of `payments.gateways.base`: one suite, every gateway, over real HTTP."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import transaction
from pytest_django import Settings

from payments.gateways import gateway_named
from payments.gateways.base import (
    ChargeStatus,
    Gateway,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUnknown,
    Intent,
)

from .gateways import Bench


def test_charge_captures_what_was_asked(bench: Bench):
    intent = bench.intent()

    charge = bench.charge(intent)

    found = (charge.status, charge.amount_paise, charge.currency, charge.reason, charge.refunded_paise, charge.others)
    assert found == (ChargeStatus.CAPTURED, 49_900, "INR", "", 0, ())
    assert charge.reference
    assert bench.taken_paise(intent) == 49_900


def test_every_paisa_of_an_amount_arrives(bench: Bench):
    """159.20 rupees times 100 is 15,919.999… in floats, of which some shops have made 15,919."""
    intent = bench.intent(amount_paise=15_920)

    assert bench.charge(intent).amount_paise == 15_920
    assert bench.taken_paise(intent) == 15_920


def test_decline_is_an_answer_and_takes_nothing(bench: Bench):
    intent = bench.intent("decline")

    charge = bench.charge(intent)

    assert charge.status == bench.declined
    assert charge.reason
    assert bench.taken_paise(intent) == 0


def test_same_key_charges_once_and_answers_the_same(bench: Bench):
    intent = bench.intent()

    first, second = bench.charge(intent), bench.charge(intent)

    assert first == second
    assert bench.taken_paise(intent) == 49_900


def test_same_key_for_another_amount_is_refused(bench: Bench):
    intent = bench.intent()
    bench.charge(intent)

    with pytest.raises(GatewayRefused):
        bench.charge(replace(intent, amount_paise=50_000))

    assert bench.taken_paise(intent) == 49_900


def test_fetch_returns_what_charge_returned(bench: Bench):
    paid, declined = bench.intent(), bench.intent("decline")

    charges = [bench.charge(paid), bench.charge(declined)]

    assert [bench.gateway.fetch(paid), bench.gateway.fetch(declined)] == charges


def test_fetch_of_an_unknown_intent_is_none(bench: Bench):
    assert bench.gateway.fetch(bench.intent()) is None


@pytest.mark.parametrize("token", ["answer lost", "error after"])
def test_trouble_after_the_effect_is_unknown_until_fetch(bench: Bench, token: str):
    intent = bench.intent(token)

    with pytest.raises(GatewayUnknown):
        bench.charge(intent)

    found = bench.finish(intent)
    assert (found.status, found.amount_paise) == (ChargeStatus.CAPTURED, 49_900)
    assert bench.taken_paise(intent) == 49_900


def test_lost_request_is_unknown_and_can_be_sent_again(bench: Bench):
    intent = bench.intent("request lost")

    with pytest.raises(GatewayUnknown):
        bench.charge(intent)

    assert bench.gateway.fetch(intent) is None
    assert bench.taken_paise(intent) == 0
    assert bench.charge(intent).status == ChargeStatus.CAPTURED
    assert bench.taken_paise(intent) == 49_900


def test_slow_request_and_its_repetition_charge_once(bench: Bench, settings: Settings):
    intent = bench.intent("slow")
    settings.GATEWAY_TIMEOUT = 0.3
    with pytest.raises(GatewayUnknown):
        bench.charge(intent)
    bench.wait_for_slow()

    settings.GATEWAY_TIMEOUT = 10.0
    charge = bench.charge(intent)
    bench.let_slow_go()

    assert charge.status == ChargeStatus.CAPTURED
    assert bench.gateway.fetch(intent) == charge
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
    late = bench.charge(intent)

    assert cancelled.status == late.status == ChargeStatus.CANCELLED
    assert bench.gateway.fetch(intent) == late
    assert bench.taken_paise(intent) == 0


def test_cancel_overtakes_a_request_on_its_way(bench: Bench):
    intent, charges = bench.intent("slow"), []
    sender = threading.Thread(target=lambda: charges.append(bench.charge(intent)))
    sender.start()
    bench.wait_for_slow()

    cancelled = bench.gateway.cancel(intent)
    bench.let_slow_go()
    sender.join()

    assert cancelled.status == charges[0].status == ChargeStatus.CANCELLED
    assert bench.taken_paise(intent) == 0


def test_cancel_leaves_a_captured_intent_as_it_is(bench: Bench):
    intent = bench.intent()
    charge = bench.charge(intent)

    assert bench.gateway.cancel(intent) == charge


def test_cancel_of_a_declined_intent_ends_it(bench: Bench):
    intent = bench.intent("decline")
    bench.charge(intent)

    assert bench.gateway.cancel(intent).status in (ChargeStatus.CANCELLED, ChargeStatus.DECLINED)
    assert bench.taken_paise(intent) == 0


def test_held_money_is_authorized_and_captured_once(bench: Bench):
    intent = bench.intent(hold=True)

    authorized = bench.charge(intent)
    taken_before = bench.taken_paise(intent)
    captured, again = bench.gateway.capture(intent), bench.gateway.capture(intent)

    assert (authorized.status, authorized.amount_paise, taken_before) == (ChargeStatus.AUTHORIZED, 49_900, 0)
    assert (captured.status, captured.amount_paise) == (ChargeStatus.CAPTURED, 49_900)
    assert again == captured == bench.gateway.fetch(intent)
    assert bench.taken_paise(intent) == 49_900


def test_held_money_is_given_up(bench: Bench):
    intent = bench.intent(hold=True)
    bench.charge(intent)

    assert bench.gateway.cancel(intent).status == ChargeStatus.CANCELLED
    assert bench.taken_paise(intent) == 0


def test_cancel_twice_returns_the_same(bench: Bench):
    intent = bench.intent()

    assert bench.gateway.cancel(intent) == bench.gateway.cancel(intent)


@pytest.mark.django_db(transaction=True)
def test_no_call_is_made_inside_a_transaction(bench: Bench):
    intent = bench.intent()

    with transaction.atomic():
        for call in _calls(bench.gateway, intent):
            with pytest.raises(RuntimeError, match="inside a transaction"):
                call()

    assert bench.gateway.fetch(intent) is None


def test_unknown_gateway_is_named():
    with pytest.raises(LookupError, match="no gateway is named 'paypol'; known: razorpay, simulated, stripe"):
        gateway_named("paypol")


def _calls(gateway: Gateway, intent: Intent) -> list[Callable[[], object]]:
    return [
        lambda: gateway.charge(intent),
        lambda: gateway.fetch(intent),
        lambda: gateway.capture(intent),
        lambda: gateway.cancel(intent),
        lambda: gateway.refund("ch_1", 1, "refund-1"),
    ]
