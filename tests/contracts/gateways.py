"""What the contract suite needs to know of each gateway. A new gateway joins by one entry in BENCHES."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from payments.gateways import GATEWAYS
from payments.gateways.base import Charge, ChargeStatus, Gateway, Intent
from payments.simulator.providers.faults import Faults
from payments.simulator.providers.server import Providers
from tests.payments.gateway_process import GatewayProcess


def no_customer(intent: Intent, charge: Charge) -> None:
    """The token says it all."""


@dataclass
class Bench:
    """A gateway ready for the suite.

    `arrange` makes a new intent for what shall happen, `customer` does what a customer does with a pending charge,
    `taken_paise` is the gateway's own account. `declined` is what a decline looks like; `lacks` are the cases, by
    name, that this gateway cannot have, with the reason. Whose `faults` are given holds a slow request until it is
    let go; the others' take two seconds.
    """

    name: str
    arrange: Callable[[str, Intent], Intent]
    taken_paise: Callable[[Intent], int]
    disconnect: Callable[[], None]
    customer: Callable[[Intent, Charge], None] = no_customer
    declined: ChargeStatus = ChargeStatus.DECLINED
    lacks: dict[str, str] = field(default_factory=dict)
    faults: Faults | None = None

    @property
    def gateway(self) -> Gateway:
        """Made anew, since a client keeps the address that it began with; without the circuit breaker."""
        return GATEWAYS[self.name]()

    def intent(self, scene: str = "success", amount_paise: int = 49_900, **more: Any) -> Intent:
        """A new intent with a key of its own."""
        intent = Intent(key=f"pay-{uuid4().hex}", amount_paise=amount_paise, currency="INR", token="", **more)
        return self.arrange(scene, intent)

    def charge(self, intent: Intent) -> Charge:
        """Charge it and, where the customer has a part in that, let them play it."""
        charge = self.gateway.charge(intent)
        if charge.status != ChargeStatus.PENDING:
            return charge
        return self.finish(intent)

    def finish(self, intent: Intent) -> Charge:
        """What has become of it, after the customer's part."""
        found = self.gateway.fetch(intent)
        assert found is not None
        if found.status == ChargeStatus.PENDING:
            self.customer(intent, found)
            found = self.gateway.fetch(intent)
        assert found is not None
        return found

    def wait_for_slow(self) -> None:
        """Until the slow request is on its way, where the gateway can show it."""
        assert self.faults is None or self.faults.held.arrived.wait(30)

    def let_slow_go(self) -> None:
        """Let the slow request have its effect."""
        if self.faults:
            self.faults.held.let_go.set()
            assert self.faults.held.acted.wait(30)


TOKENS_OF_SIMULATED = {
    "success": "tok_success",
    "decline": "tok_decline",
    "request lost": "tok_timeout_before",
    "answer lost": "tok_timeout_after",
    "slow": "tok_slow",
    "error after": "tok_error_after",
}
FAULTS = {
    "request lost": ("silence", "before"),
    "answer lost": ("silence", "after"),
    "slow": ("held", "before"),
    "error after": ("500", "after"),
}


def with_token(intent: Intent, token: str) -> Intent:
    return Intent(**{**vars(intent), "token": token})


def simulated(process: GatewayProcess, disconnect: Callable[[], None]) -> Bench:
    """Our own gateway process."""
    return Bench(
        name="simulated",
        arrange=lambda scene, intent: with_token(intent, TOKENS_OF_SIMULATED[scene]),
        taken_paise=lambda intent: process.taken_paise(intent.key),
        disconnect=disconnect,
    )


def stripe(providers: Providers, disconnect: Callable[[], None]) -> Bench:
    """Stripe's SDK and our fake, tokens charged by us."""

    def arrange(scene: str, intent: Intent) -> Intent:
        if scene in FAULTS:
            providers.faults.plan(*FAULTS[scene], part=intent.key)
        return with_token(intent, "pm_card_chargeDeclined" if scene == "decline" else "pm_card_visa")

    def taken_paise(intent: Intent) -> int:
        made = [one for one in providers.stripe.intents.values() if one["metadata"]["payment"] == intent.name]
        return sum(one["amount_received"] for one in made)

    return Bench(
        name="stripe", arrange=arrange, taken_paise=taken_paise, disconnect=disconnect, faults=providers.faults
    )


def razorpay(providers: Providers, disconnect: Callable[[], None]) -> Bench:
    """Razorpay's SDK and our fake; the customer pays in the checkout."""
    outcomes: dict[str, str] = {}

    def arrange(scene: str, intent: Intent) -> Intent:
        if scene in FAULTS:
            providers.faults.plan(*FAULTS[scene], part="orders")
        outcomes[intent.key] = "failed" if scene == "decline" else "captured"
        return intent

    def taken_paise(intent: Intent) -> int:
        orders = [one["id"] for one in providers.razorpay.orders.values() if one["receipt"] == intent.name]
        attempts = [one for one in providers.razorpay.payments.values() if one["order_id"] in orders]
        return sum(one["amount"] for one in attempts if one["status"] in ("captured", "refunded"))

    def customer(intent: Intent, charge: Charge) -> None:
        providers.razorpay.customer_pays(charge.intent_reference, outcomes[intent.key])

    no_void = "Razorpay cannot cancel an order; an unpaid one is known to nobody but us"
    return Bench(
        name="razorpay",
        arrange=arrange,
        taken_paise=taken_paise,
        disconnect=disconnect,
        customer=customer,
        declined=ChargeStatus.PENDING,
        faults=providers.faults,
        lacks={
            "test_cancelled_intent_refuses_a_charge_that_comes_later": no_void,
            "test_cancel_overtakes_a_request_on_its_way": no_void,
        },
    )
