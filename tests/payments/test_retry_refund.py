"""A refund that the payment queue gave up: tried again an hour apart, then given to a person."""

from typing import Any

import pytest

from payments.gateways.base import GatewayRefused
from payments.gateways.simulated import SimulatedGateway
from payments.models import Payment
from payments.services import collect, refunds
from queues.models import Job
from queues.testing import drain, make_due, moved

from .factories import place
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.django_db(transaction=True)


def refuse(*arguments: Any) -> None:
    raise GatewayRefused("the key is wrong")


def given_up(monkeypatch: pytest.MonkeyPatch) -> Any:
    order = place("tok_success")
    collect.charge(order.pk)
    refund = refunds.refund(Payment.objects.get(order=order).pk, 100, "test")
    monkeypatch.setattr(SimulatedGateway, "refund", refuse)
    for _ in range(3):
        make_due(name="payments.refund_payment")
        drain(queue="payment", raises=False)
    return refund


def test_refund_is_retried_after_an_hour(gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as trouble:
        refund = given_up(trouble)
    with moved(minutes=59):
        drain(queue="payment-retry")
    refund.refresh_from_db()
    assert refund.state == "requested"

    with moved(minutes=61):
        drain(queue="payment-retry")

    refund.refresh_from_db()
    assert refund.state == "succeeded"
    assert len(gateway.entries(refund.idempotency_key)) == 1


def test_refund_that_never_succeeds_is_given_to_review(gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch):
    refund = given_up(monkeypatch)

    for hours in (1, 2, 3):
        with moved(hours=hours, minutes=1):
            drain(queue="payment-retry", raises=False)
    drain(queue="payment-retry")

    refund.refresh_from_db()
    job = Job.objects.get(name="payments.retry_refund")
    assert (job.state, job.attempt, refund.state, refund.payment.refunded_paise) == ("failed", 3, "requested", 100)
    told = refund.payment.events.get(kind="needs review").detail
    assert told == {"reason": f"refund {refund.pk} could not be made"}
