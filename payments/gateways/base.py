"""What every payment gateway must do, in our words. One intent captures at most once.

A gateway answers with a `Charge` or a `RefundResult` (a decline is an answer, not an error) or raises one of
three errors that differ in what may have happened: GatewayUnavailable (nothing), GatewayUnknown (anything),
GatewayRefused (nothing, and nothing ever will). No gateway tries again by itself.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from django.db import connection

MOST_PAISE = 2**63 - 1
MOST_CHARACTERS = 255


class GatewayError(Exception):
    """The gateway gave no usable answer."""


class GatewayUnavailable(GatewayError):
    """The gateway was not reached: this call was certainly not executed."""


class GatewayUnknown(GatewayError):
    """The call may have been executed: ask before anything else is done.

    `kept`: the gateway gave an error of its own, which it will give again under the same idempotency key.
    """

    def __init__(self, message: str = "", *, kept: bool = False) -> None:
        super().__init__(message)
        self.kept = kept


class GatewayRefused(GatewayError):
    """The gateway does not accept such a call: not executed, and no repetition will help."""


class ChargeStatus(StrEnum):
    PENDING = "pending"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    DECLINED = "declined"
    CANCELLED = "cancelled"


TAKES_MONEY = (ChargeStatus.AUTHORIZED, ChargeStatus.CAPTURED)


class RefundStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True)
class Intent:
    """What we ask a charge for.

    `key` is the idempotency key of this try, `name` what the intent is called over all its tries. Without a `token`
    the customer confirms at the gateway. `hold`: authorize only, capture later. `reference` is the gateway's own
    name for the intent, where it is known already; `since` is when the gateway first may have heard of it.
    """

    key: str
    amount_paise: int
    currency: str
    token: str
    reference: str = ""
    name: str = ""
    order_id: int = 0
    hold: bool = False
    since: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.key)


@dataclass(frozen=True)
class Charge:
    """What became of an intent, by the gateway's word; it is a proof that `settle()` takes.

    `reference` names what can be refunded, `intent_reference` what can be asked for; one name may serve for both.
    `client_secret` lets the customer confirm a pending one. `order_id` is the order that the gateway was told of.
    `others` took money under the same intent besides this one.
    """

    status: ChargeStatus
    reference: str
    amount_paise: int
    currency: str
    reason: str = ""
    intent_reference: str = ""
    client_secret: str = field(default="", repr=False)
    order_id: str = ""
    refunded_paise: int = 0
    others: "tuple[Charge, ...]" = ()

    def __post_init__(self) -> None:
        """An answer that cannot be true, or not be kept, leaves the outcome unknown."""
        least = 1 if self.status in TAKES_MONEY else 0
        texts = (self.reference, self.intent_reference, self.client_secret, self.currency)
        amounts = least <= self.amount_paise <= MOST_PAISE and self.refunded_paise >= 0
        if not (amounts and self.reference and all(map(_is_plain, texts))):
            raise GatewayUnknown(f"an impossible answer: {self.status} {self.amount_paise} {self.reference[:300]!r}")


@dataclass(frozen=True)
class RefundResult:
    """What became of a refund, by the gateway's word."""

    status: RefundStatus
    reference: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if not _is_plain(self.reference):
            raise GatewayUnknown(f"an impossible answer: refund {self.reference[:300]!r}")


class Gateway(Protocol):
    """A payment gateway. Every method may raise each GatewayError, and RuntimeError inside a transaction."""

    @property
    def takes_tokens(self) -> bool:
        """Whether a token from the storefront can be charged by us."""

    @property
    def needs_token(self) -> bool:
        """Whether nothing can be paid without one: the customer cannot confirm at the gateway."""

    def charge(self, intent: Intent) -> Charge:
        """Create the intent and confirm it with its token, once per key, however often it is asked.

        Without a token it is created and stays pending until the customer confirms it.
        """

    def fetch(self, intent: Intent) -> Charge | None:
        """What became of the intent; None if the gateway has not heard of it (yet)."""

    def capture(self, intent: Intent) -> Charge:
        """Take what was authorized, once, and say what has become of the intent."""

    def cancel(self, intent: Intent) -> Charge:
        """See to it that no money is taken under this intent from now on, and say what became of it.

        An authorization is given up. An intent that was settled before stays as it is; a charge that arrives later
        is refused.
        """

    def refund(self, charge_reference: str, amount_paise: int, key: str, name: str = "") -> RefundResult:
        """Give back a part of a charge or all of it, once per key; `name` is what the refund is called in all tries."""

    def fetch_refund(self, charge_reference: str, name: str, reference: str = "") -> RefundResult | None:
        """What became of a refund, found by the gateway's reference or our name; None if it has not heard of it."""

    def client_facts(self, intent_reference: str, client_secret: str) -> dict[str, str]:
        """What the storefront needs so that the customer can confirm a pending intent. No call."""


def plain(text: str) -> str:
    """A gateway's text as it can be stored and shown: printable, at most MOST_CHARACTERS."""
    return "".join(character for character in text if character.isprintable())[:MOST_CHARACTERS]


def _is_plain(text: str) -> bool:
    return text == plain(text)


def refuse_open_transaction() -> None:
    """Every gateway calls this first: a lock must never wait for the network. Raises RuntimeError."""
    if connection.in_atomic_block:
        raise RuntimeError("a gateway was called inside a transaction: end transaction.atomic() before the call")
