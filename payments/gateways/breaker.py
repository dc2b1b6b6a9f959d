"""A circuit breaker around a gateway, shared by all processes through a row of PostgreSQL.

After GATEWAY_BREAKER_FAILURES calls without an answer in a row it opens: calls end at once as GatewayUnavailable, so
that jobs wait instead of holding their threads and a gateway in trouble is left alone. After GATEWAY_BREAKER_PAUSE
seconds one call may try; its answer closes the breaker, its failure keeps it open.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from ..models import GatewayHealth
from .base import (
    Charge,
    Gateway,
    GatewayError,
    GatewayUnavailable,
    GatewayUnknown,
    Intent,
    RefundResult,
)

T = TypeVar("T")


class CircuitOpen(GatewayUnavailable):
    """The gateway has not answered for a while: it is left alone until its breaker lets a call try."""


class Guarded:
    """A gateway whose every call goes through its breaker."""

    def __init__(self, name: str, gateway: Gateway) -> None:
        self.name = name
        self.gateway = gateway

    @property
    def takes_tokens(self) -> bool:
        return self.gateway.takes_tokens

    @property
    def needs_token(self) -> bool:
        return self.gateway.needs_token

    def charge(self, intent: Intent) -> Charge:
        return self._through(lambda: self.gateway.charge(intent))

    def fetch(self, intent: Intent) -> Charge | None:
        return self._through(lambda: self.gateway.fetch(intent))

    def capture(self, intent: Intent) -> Charge:
        return self._through(lambda: self.gateway.capture(intent))

    def cancel(self, intent: Intent) -> Charge:
        return self._through(lambda: self.gateway.cancel(intent))

    def refund(self, charge_reference: str, amount_paise: int, key: str, name: str = "") -> RefundResult:
        return self._through(lambda: self.gateway.refund(charge_reference, amount_paise, key, name))

    def fetch_refund(self, charge_reference: str, name: str, reference: str = "") -> RefundResult | None:
        return self._through(lambda: self.gateway.fetch_refund(charge_reference, name, reference))

    def client_facts(self, intent_reference: str, client_secret: str) -> dict[str, str]:
        return self.gateway.client_facts(intent_reference, client_secret)

    def _through(self, call: Callable[[], T]) -> T:
        admit(self.name)
        try:
            answer = call()
        except (GatewayUnavailable, GatewayUnknown):
            count_failure(self.name)
            raise
        except GatewayError:
            count_answer(self.name)
            raise
        count_answer(self.name)
        return answer


def admit(name: str) -> None:
    """Let a call pass, or raise CircuitOpen. Of those that come after the pause one is let through, as a probe."""
    health = GatewayHealth.objects.filter(gateway=name).first()
    if health is None or health.opened_at is None:
        return
    pause = timedelta(seconds=settings.GATEWAY_BREAKER_PAUSE)
    rested = GatewayHealth.objects.filter(gateway=name, opened_at__lte=Now() - pause)
    if not rested.update(opened_at=Now()):
        raise CircuitOpen(f"{name} is left alone after {health.failures} calls without an answer")


def count_answer(name: str) -> None:
    """An answer, whatever it says, closes the breaker."""
    GatewayHealth.objects.filter(gateway=name, failures__gt=0).update(failures=0, opened_at=None)


COUNT = """
INSERT INTO payments_gatewayhealth AS h (gateway, failures, opened_at)
VALUES (%(gateway)s, 1, CASE WHEN 1 >= %(most)s THEN clock_timestamp() END)
ON CONFLICT (gateway) DO UPDATE SET failures = h.failures + 1,
    opened_at = CASE WHEN h.failures + 1 >= %(most)s THEN clock_timestamp() END
"""


def count_failure(name: str) -> None:
    """A call without an answer; the last of so many in a row opens the breaker."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"gateway": name, "most": settings.GATEWAY_BREAKER_FAILURES})
