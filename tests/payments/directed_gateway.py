"""A gateway in this process that does what a state machine tells it, with a book of its own."""

from dataclasses import dataclass, field
from typing import ClassVar

from payments.gateways.base import (
    Charge,
    ChargeStatus,
    GatewayUnavailable,
    GatewayUnknown,
    Intent,
    RefundResult,
    RefundStatus,
)

MOODS = ("captures", "declines", "is away", "loses requests", "acts and is silent", "refuses refunds")


@dataclass
class DirectedGateway:
    """`book` says what became of each key; `given_back` of each refund key how much, and of which charge."""

    takes_tokens: ClassVar[bool] = True
    needs_token: ClassVar[bool] = True

    mood: str = "captures"
    book: dict[str, Charge] = field(default_factory=dict)
    given_back: dict[str, tuple[str, int]] = field(default_factory=dict)

    def charge(self, intent: Intent) -> Charge:
        self._be_reached()
        status = "declined" if self.mood == "declines" else "captured"
        self._enter(intent.key, status, intent.amount_paise, intent.currency)
        return self._answered(intent.key)

    def fetch(self, intent: Intent) -> Charge | None:
        self._be_reached()
        return self._answered(intent.key) if intent.key in self.book else None

    def cancel(self, intent: Intent) -> Charge:
        self._be_reached()
        self._enter(intent.key, "cancelled", 0, "INR")
        return self._answered(intent.key)

    def capture(self, intent: Intent) -> Charge:
        self._be_reached()
        return self._answered(intent.key)

    def client_facts(self, intent_reference: str, client_secret: str) -> dict[str, str]:
        return {}

    def fetch_refund(self, charge_reference: str, name: str, reference: str = "") -> RefundResult | None:
        self._be_reached()
        return RefundResult(RefundStatus.SUCCEEDED, f"re_{name}") if name in self.given_back else None

    def refund(self, charge_reference: str, amount_paise: int, key: str, name: str = "") -> RefundResult:
        self._be_reached()
        if self.mood == "refuses refunds" and key not in self.given_back:
            return RefundResult(RefundStatus.FAILED, reason="not today")
        self.given_back.setdefault(key, (charge_reference, amount_paise))
        if self.mood == "acts and is silent":
            raise GatewayUnknown("no answer")
        return RefundResult(RefundStatus.SUCCEEDED, f"re_{key}")

    def take_after_all(self, key: str, amount_paise: int) -> None:
        """Capture against an earlier word, as a bank may."""
        if self.taken_paise(key) == 0:
            self.book[key] = Charge(ChargeStatus.CAPTURED, f"ch_{key}", amount_paise, "INR")

    def taken_paise(self, key: str) -> int:
        charge = self.book.get(key)
        return charge.amount_paise if charge and charge.status == ChargeStatus.CAPTURED else 0

    def returned_paise(self, key: str) -> int:
        return sum(paise for reference, paise in self.given_back.values() if reference == f"ch_{key}")

    def _enter(self, key: str, status: str, amount_paise: int, currency: str) -> None:
        reason = "" if status == "captured" else status
        self.book.setdefault(key, Charge(ChargeStatus(status), f"ch_{key}", amount_paise, currency, reason))

    def _be_reached(self) -> None:
        if self.mood == "is away":
            raise GatewayUnavailable("nobody listens")
        if self.mood == "loses requests":
            raise GatewayUnknown("the request was lost")

    def _answered(self, key: str) -> Charge:
        if self.mood == "acts and is silent":
            raise GatewayUnknown("no answer")
        return self.book[key]
