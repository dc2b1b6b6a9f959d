"""What the contract suite needs to know of each gateway. A new gateway joins by one entry in BENCHES."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from payments.gateways import gateway_named
from payments.gateways.base import Gateway, Intent
from tests.payments.gateway_process import GatewayProcess


@dataclass(frozen=True)
class Bench:
    """A gateway ready for the suite: tokens by what they make happen, and its own account of the money taken."""

    gateway: Gateway
    tokens: dict[str, str]
    taken_paise: Callable[[Intent], int]
    disconnect: Callable[[], None]

    def intent(self, token: str = "success", amount_paise: int = 49_900) -> Intent:
        """A new intent with a key of its own."""
        return Intent(key=f"pay-{uuid4().hex}", amount_paise=amount_paise, currency="INR", token=self.tokens[token])


TOKENS_OF_SIMULATED = {
    "success": "tok_success",
    "decline": "tok_decline",
    "request lost": "tok_timeout_before",
    "answer lost": "tok_timeout_after",
    "slow": "tok_slow",
    "error after": "tok_error_after",
}


def simulated(process: GatewayProcess, disconnect: Callable[[], None]) -> Bench:
    """Our own gateway process."""
    return Bench(
        gateway=gateway_named("simulated"),
        tokens=TOKENS_OF_SIMULATED,
        taken_paise=lambda intent: process.taken_paise(intent.key),
        disconnect=disconnect,
    )
