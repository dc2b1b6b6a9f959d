"""Answers of the providers that cannot be true: the outcome stays unknown and is asked again; nothing is booked."""

from typing import Any

import pytest

from payments.models import Payment, PaymentEvent, Refund
from payments.services import questions, refunds
from payments.simulator.providers.server import Providers
from queues import Snooze

from .paying import customer_pays, pending, run_jobs, states

pytestmark = pytest.mark.django_db(transaction=True)
NO_AMOUNTS: list[Any] = [-1, 0, 2**70, 1.5, "49900", None, True, [], {}]
NO_NAMES: list[Any] = [None, 7, [], {}, "", "\x00", "x" * 300]
NO_CURRENCIES: list[Any] = [None, 7, [], "IN\x00"]
NO_STATES: list[Any] = [None, 7, [], "strange"]
NO_TIMES: list[Any] = [None, "now", []]
FACTS: dict[str, dict[str, list[Any]]] = {
    "stripe": {"amount_received": NO_AMOUNTS, "id": NO_NAMES, "currency": NO_CURRENCIES, "status": NO_STATES},
    "razorpay": {
        "amount": NO_AMOUNTS,
        "id": NO_NAMES,
        "currency": NO_CURRENCIES,
        "created_at": NO_TIMES,
        "amount_refunded": ["x", -1],
    },
}
STRANGE = [(gateway, {name: value}) for gateway in FACTS for name, values in FACTS[gateway].items() for value in values]


def the_charge(providers: Providers, payment: Payment) -> dict[str, Any]:
    if payment.gateway == "stripe":
        return providers.stripe.intents[payment.intent_reference]
    attempts = providers.razorpay.payments.values()
    return next(one for one in attempts if one["order_id"] == payment.intent_reference)


@pytest.mark.parametrize(("gateway", "facts"), STRANGE)
def test_answer_that_cannot_be_true_is_asked_for_again(providers: Providers, gateway: str, facts: dict[str, Any]):
    order, payment = pending(gateway)
    customer_pays(providers, payment)
    thing = the_charge(providers, payment)
    right = dict(thing)
    if gateway == "razorpay":
        customer_pays(providers, payment, "failed")  # so that there is something to sort
    thing |= facts

    for _ in range(2):
        with pytest.raises(Snooze):
            questions.check(payment.pk)

    assert states(order) == (["pending"], "pending")
    assert not Refund.objects.exists()
    assert not PaymentEvent.objects.filter(kind="captured").exists()
    thing |= right
    questions.check(payment.pk)
    assert states(order) == (["captured"], "paid")


@pytest.mark.parametrize("facts", [{"status": "strange"}, {"status": None}, {"id": None}, {"id": "\x00"}, {"id": 7}])
@pytest.mark.parametrize("gateway", ["stripe", "razorpay"])
def test_refund_with_an_answer_that_cannot_be_true_is_asked_for_again(
    providers: Providers, gateway: str, facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    _, payment = pending(gateway)
    customer_pays(providers, payment)
    run_jobs()
    refund = refunds.refund(payment.pk, 100, "test")
    refunds.submit(refund.pk)
    Refund.objects.update(state="requested")
    refund.refresh_from_db()
    thing = providers.account(gateway).refunds[refund.gateway_reference]
    monkeypatch.setitem(thing, *next(iter(facts.items())))

    with pytest.raises(Snooze):
        refunds.submit(refund.pk)

    assert (Refund.objects.get().state, Payment.objects.get().refunded_paise) == ("requested", 100)
