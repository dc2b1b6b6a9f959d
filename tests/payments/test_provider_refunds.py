"""Refunds through Stripe and Razorpay: once, by the provider's own book, whatever goes wrong."""

import pytest

from payments.models import Refund
from payments.services import refunds
from payments.simulator.providers.server import Providers
from queues import Snooze

from .paying import customer_pays, pending, run_jobs, states

pytestmark = pytest.mark.django_db(transaction=True)
CLIENT_SIDE = ["stripe", "razorpay"]


@pytest.mark.parametrize("gateway", CLIENT_SIDE)
def test_refund_is_made_once(providers: Providers, gateway: str):
    order, payment = pending(gateway)
    customer_pays(providers, payment)
    run_jobs()
    refund = refunds.refund(payment.pk, 9_900, "test")

    refunds.submit(refund.pk)
    refunds.submit(refund.pk)

    refund.refresh_from_db()
    (made,) = [one for one in providers.account(gateway).refunds.values() if str(one).count(refund.idempotency_key)]
    assert (refund.state, refund.gateway_reference, made["amount"]) == ("succeeded", made["id"], 9_900)
    assert states(order) == (["captured"], "paid")


@pytest.mark.parametrize("gateway", CLIENT_SIDE)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["silence", "500", "garbage"])
def test_trouble_with_a_refund_pays_it_once(providers: Providers, gateway: str, kind: str, when: str):
    _, payment = pending(gateway)
    customer_pays(providers, payment)
    run_jobs()
    refund = refunds.refund(payment.pk, 100, "test")
    providers.faults.plan(kind, when, part=refund.idempotency_key)

    run_jobs(times=4)

    refund.refresh_from_db()
    made = [one for one in providers.account(gateway).refunds.values() if str(one).count(refund.idempotency_key)]
    assert (refund.state, len(made)) == ("succeeded", 1)


def test_refund_that_the_bank_is_still_at_is_waited_for(providers: Providers, monkeypatch: pytest.MonkeyPatch):
    _, payment = pending("razorpay")
    customer_pays(providers, payment)
    run_jobs()
    monkeypatch.setattr(providers.razorpay, "refunds_begin", "pending")
    refund = refunds.refund(payment.pk, 100, "test")

    for _ in range(2):
        with pytest.raises(Snooze, match="still at it"):
            refunds.submit(refund.pk)
    refund.refresh_from_db()
    assert (refund.state, refund.gateway_reference in providers.razorpay.refunds) == ("requested", True)
    providers.razorpay.refund_ends(refund.gateway_reference, "processed")
    refunds.submit(refund.pk)

    assert Refund.objects.get().state == "succeeded"
