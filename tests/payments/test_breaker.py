"""The circuit breaker: a gateway that does not answer is left alone, by all processes, and tried by one."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from payments.gateways import breaker, gateway_named
from payments.gateways.base import GatewayRefused, GatewayUnavailable, GatewayUnknown, Intent
from payments.gateways.breaker import CircuitOpen
from payments.gateways.simulated import SimulatedGateway
from payments.models import GatewayHealth
from queues.models import Job
from queues.testing import drain, make_due

from .factories import place
from .rivals import at_once

pytestmark = pytest.mark.django_db(transaction=True)
INTENT = Intent("pay-1", 100, "INR", "tok_success")


class Calls:
    """Counts what gets through to the gateway, and answers with an error or None."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.error: Exception | None = GatewayUnavailable("away")
        monkeypatch.setattr(SimulatedGateway, "fetch", self.fetch)

    def fetch(self, intent: Any) -> None:
        self.count += 1
        if self.error:
            raise self.error

    def make(self, times: int) -> None:
        for _ in range(times):
            assert self.error
            with pytest.raises(type(self.error)):
                gateway_named("simulated").fetch(INTENT)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Calls:
    settings.GATEWAY_BREAKER_FAILURES = 3
    return Calls(monkeypatch)


def pause_passes() -> None:
    GatewayHealth.objects.update(opened_at=timezone.now() - timedelta(seconds=31))


@pytest.mark.parametrize("error", [GatewayUnavailable("away"), GatewayUnknown("silent")])
def test_gateway_that_does_not_answer_is_left_alone(calls: Calls, error: Exception):
    calls.error = error
    calls.make(3)

    with pytest.raises(CircuitOpen, match="left alone after 3 calls"):
        gateway_named("simulated").fetch(INTENT)

    assert calls.count == 3


def test_breaker_of_one_gateway_leaves_the_others_alone(calls: Calls):
    calls.make(3)

    breaker.admit("stripe")

    with pytest.raises(CircuitOpen):
        breaker.admit("simulated")


@pytest.mark.parametrize("answer", [None, GatewayRefused("no")])
def test_any_answer_begins_the_count_anew(calls: Calls, answer: Exception | None):
    calls.make(2)
    calls.error = answer
    if answer:
        calls.make(1)
    else:
        gateway_named("simulated").fetch(INTENT)
    calls.error = GatewayUnavailable("away")

    calls.make(2)

    assert GatewayHealth.objects.get().opened_at is None


def test_after_the_pause_one_call_tries_and_its_answer_closes_the_breaker(calls: Calls):
    calls.make(3)
    pause_passes()
    calls.error = None

    gateway_named("simulated").fetch(INTENT)
    gateway_named("simulated").fetch(INTENT)

    health = GatewayHealth.objects.get()
    assert (calls.count, health.failures, health.opened_at) == (5, 0, None)


def test_probe_that_fails_keeps_the_breaker_open(calls: Calls):
    calls.make(3)
    pause_passes()

    calls.make(1)

    with pytest.raises(CircuitOpen):
        gateway_named("simulated").fetch(INTENT)
    assert calls.count == 4


def test_of_many_after_the_pause_one_is_the_probe(calls: Calls):
    calls.make(3)
    pause_passes()

    rivals = at_once(*[lambda: breaker.admit("simulated")] * 4)

    assert sorted(type(rival.error).__name__ for rival in rivals) == ["CircuitOpen"] * 3 + ["NoneType"]


def test_jobs_wait_at_an_open_breaker_without_spending_attempts(settings: Settings):
    settings.GATEWAY_BREAKER_FAILURES = 1
    settings.SIMULATED_GATEWAY_URL = "http://127.0.0.1:9"
    place()

    for _ in range(4):
        make_due(queue="payment")
        drain(queue="payment")

    job = Job.objects.get(name="payments.verify_payment")
    assert (job.state, job.attempt) == ("waiting", 0)
    assert GatewayHealth.objects.get().failures == 1
