"""Every order of a payment's events, each twice, with refunds of ours and of others, and disputes: one state."""

import re
from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from orders.models import Order
from payments.models import Payment, ProviderEvent, Refund
from payments.services import holds, questions, refunds
from payments.simulator.providers import razorpay, stripe
from payments.simulator.providers.hooks import Delivery
from payments.simulator.providers.server import Providers
from queues.models import Job
from tests.examples import examples

from .factories import PRICE_PAISE
from .paying import customer_pays, deliver, deliveries, pending, run_jobs
from .test_any_order_of_events import kept_by_provider

pytestmark = pytest.mark.django_db(transaction=True)
GATEWAYS = ["stripe", "razorpay"]
PART, ELSEWHERE = 700, 500


def state_of(order: Order) -> tuple[Any, ...]:
    """All that the events could have changed: order, money, what a person is asked to look at, who was told."""
    order.refresh_from_db()
    payment = Payment.objects.get(order=order)
    made = Refund.objects.filter(payment=payment).order_by("pk").values_list("amount_paise", "state")
    reviews = payment.events.filter(kind="needs review").values_list("detail__reason", flat=True)
    reasons = sorted(re.sub(r"\b(re_\w+|rfnd_\w+|\d+)", "n", reason) for reason in reviews)
    names = ("orders.process_order", "payments.refund_issued", "payments.issue_credit_note")
    told = [Job.objects.filter(name=name, subject=f"order-{order.pk}").count() for name in names]
    return order.state, payment.state, payment.captured_paise, payment.refunded_paise, list(made), reasons, told


def reference_of(providers: Providers, payment: Payment) -> str:
    """What can be refunded at the provider: the success."""
    if payment.gateway == "stripe":
        return payment.intent_reference
    tries = [one for one in providers.razorpay.payments.values() if one["order_id"] == payment.intent_reference]
    return str(next(one["id"] for one in tries if one["status"] in ("captured", "refunded")))


def refund_a_part(providers: Providers, payment: Payment) -> None:
    """By us, once the money is booked; the provider's answer is lost, so that its events tell."""
    run_jobs()
    made = refunds.refund(payment.pk, PART, "test")
    providers.faults.plan("reset", "after", part=made.idempotency_key)
    run_jobs()
    providers.faults.clear()


def refund_elsewhere(providers: Providers, payment: Payment) -> None:
    reference = reference_of(providers, payment)
    if payment.gateway == "stripe":
        providers.stripe.handle("POST", ["refunds"], {"payment_intent": reference, "amount": str(ELSEWHERE)})
    else:
        providers.razorpay.handle("POST", ["payments", reference, "refund"], {"amount": ELSEWHERE})


def dispute(providers: Providers, payment: Payment) -> None:
    if payment.gateway == "stripe":
        thing = {"object": "dispute", "id": "dp_1", "payment_intent": payment.intent_reference}
        return providers.stripe.outbox.add(stripe.event("charge.dispute.created", thing))
    entity = providers.razorpay.payments[reference_of(providers, payment)]
    providers.razorpay.outbox.add(razorpay.event("payment.dispute.created", {"payment": {"entity": entity}}))


def send_our_refund_back(providers: Providers, payment: Payment) -> None:
    """A bank does, with what was given back; only where something was."""
    run_jobs()
    for made in Refund.objects.filter(payment=payment, state="succeeded"):
        providers.account(payment.gateway).refund_ends(made.gateway_reference, "failed")


ACTS: dict[str, Callable[[Providers, Payment], None]] = {
    "refund a part": refund_a_part,
    "refund elsewhere": refund_elsewhere,
    "dispute": dispute,
    "send back": send_our_refund_back,
}


def bring(gateway: str, events: Sequence[Delivery], work: bool) -> None:
    for event in events:
        assert deliver(gateway, event).status_code == 200
        if work:
            run_jobs()


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("works_between", [True, False])
def test_every_order_of_the_events_of_a_refunded_and_disputed_payment_ends_in_one_state(
    providers: Providers, gateway: str, works_between: bool
):
    ends = set()
    for number, positions in enumerate(permutations(range(4))):
        order, payment = pending(gateway)
        customer_pays(providers, payment)
        for act in ("refund a part", "refund elsewhere", "dispute"):
            ACTS[act](providers, payment)
        events = deliveries(providers, payment)[-4:]  # of several that say that the money came the last
        disordered = [events[position] for position in positions]
        twice = disordered[::-1] if number % 2 else disordered

        bring(gateway, [*disordered, *twice], works_between)
        run_jobs(times=2)

        ends.add(str(state_of(order)))
        assert kept_by_provider(providers, payment) == PRICE_PAISE - PART - ELSEWHERE
        assert not ProviderEvent.objects.filter(state="received").exists()

    reasons = [f"dispute: {'charge' if gateway == 'stripe' else 'payment'}.dispute.created", "refunded elsewhere: n"]
    made = [(PART, "succeeded")]
    assert ends == {str(("paid", "captured", PRICE_PAISE, PART, made, reasons, [1, 1, 1]))}


@pytest.mark.parametrize("is_held", [False, True])
@pytest.mark.parametrize("gateway", GATEWAYS)
def test_every_order_of_the_events_of_a_payment_ends_in_one_state(
    providers: Providers, settings: Settings, gateway: str, is_held: bool
):
    settings.PAYMENT_HOLD_ABOVE_PAISE = PRICE_PAISE - 1 if is_held else 0
    ends, events = set(), {("stripe", False): 2, ("stripe", True): 3, ("razorpay", False): 4, ("razorpay", True): 4}
    for number, positions in enumerate(permutations(range(events[gateway, is_held]))):
        order, payment = pending(gateway)
        for fact in ("failed", "captured"):
            customer_pays(providers, payment, fact)
        if is_held:
            run_jobs()
            holds.let_go(payment.pk)
            questions.capture(payment.pk)
        told = deliveries(providers, payment)
        disordered = [told[position] for position in positions]

        bring(gateway, [*disordered, *disordered[:: (-1) ** number]], work=bool(number % 3))
        run_jobs(times=2)

        ends.add(str(state_of(order)))
        assert len(told) == len(positions)
        assert kept_by_provider(providers, payment) == PRICE_PAISE

    reviews = ["held above the limit"] * is_held
    assert ends == {str(("paid", "captured", PRICE_PAISE, 0, [], reviews, [1, 0, 0]))}


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_events_that_come_between_the_facts_end_in_the_state_of_those_that_come_in_order(
    providers: Providers, gateway: str
):
    @examples(10, steps=1)
    @given(
        tries=st.lists(st.just("failed"), max_size=2),
        acts=st.lists(st.sampled_from(sorted(ACTS)), max_size=4, unique=True),
        choices=st.lists(st.integers(0, 29), max_size=12),
        data=st.data(),
    )
    def in_any_order(tries: list[str], acts: list[str], choices: list[int], data: Any) -> None:
        facts = [*tries, "captured", *acts]
        order, payment = pending(gateway)
        left = list(facts)
        for choice in choices:
            events = deliveries(providers, payment)
            if choice % 3 == 0 and left:
                act(providers, payment, left.pop(0))
            elif events:
                bring(gateway, [events[choice % len(events)]], choice % 2 == 0)
        for fact in left:
            act(providers, payment, fact)
        events = deliveries(providers, payment)
        disordered = data.draw(st.permutations(range(len(events))))
        bring(gateway, [events[position] for position in disordered], work=False)
        run_jobs(times=3)

        other, in_order = pending(gateway)
        for fact in facts:
            act(providers, in_order, fact)
            bring(gateway, deliveries(providers, in_order), work=True)
        run_jobs(times=3)

        assert state_of(order) == state_of(other)
        assert ("refunded elsewhere: n" in state_of(order)[5]) == ("refund elsewhere" in acts)
        assert kept_by_provider(providers, payment) == kept_by_provider(providers, in_order)

    in_any_order()


def act(providers: Providers, payment: Payment, fact: str) -> None:
    if fact in ACTS:
        ACTS[fact](providers, payment)
    else:
        customer_pays(providers, payment, fact)
