"""What every payment gateway must do, in our words. One intent captures at most once.

A gateway answers with a `Charge` or a `RefundResult` (a decline is an answer, not an error) or raises one of
three errors that differ in what may have happened: GatewayUnavailable (nothing), GatewayUnknown (anything),
GatewayRefused (nothing, and nothing ever will). No gateway tries again by itself.
"""

from dataclasses import dataclass
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
    """The call may have been executed: ask before anything else is done."""


class GatewayRefused(GatewayError):
    """The gateway does not accept such a call: not executed, and no repetition will help."""


class ChargeStatus(StrEnum):
    CAPTURED = "captured"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class RefundStatus(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True)
class Intent:
    """What we ask a charge for. `reference` is the gateway's own name for it, where it is known already."""

    key: str
    amount_paise: int
    currency: str
    token: str
    reference: str = ""


@dataclass(frozen=True)
class Charge:
    """What became of an intent, by the gateway's word; it is a proof that `settle()` takes."""

    status: ChargeStatus
    reference: str
    amount_paise: int
    currency: str
    reason: str = ""

    def __post_init__(self) -> None:
        """An answer that cannot be true, or not be kept, leaves the outcome unknown."""
        least = 1 if self.status == ChargeStatus.CAPTURED else 0
        if not (least <= self.amount_paise <= MOST_PAISE and self.reference == plain(self.reference) != ""):
            raise GatewayUnknown(f"an impossible answer: {self.status} {self.amount_paise} {self.reference[:300]!r}")


@dataclass(frozen=True)
class RefundResult:
    """What became of a refund, by the gateway's word."""

    status: RefundStatus
    reference: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if self.reference != plain(self.reference):
            raise GatewayUnknown(f"an impossible answer: refund {self.reference[:300]!r}")


class Gateway(Protocol):
    """A payment gateway. Every method may raise each GatewayError, and RuntimeError inside a transaction."""

    def charge(self, intent: Intent) -> Charge:
        """Take the money, once per key, however often it is asked."""

    def fetch(self, intent: Intent) -> Charge | None:
        """What became of the intent; None if the gateway has not heard of it (yet)."""

    def cancel(self, intent: Intent) -> Charge:
        """See to it that no money is taken under this intent from now on, and say what became of it.

        An intent that was settled before stays as it is; a charge that arrives later is refused.
        """

    def refund(self, charge_reference: str, amount_paise: int, key: str) -> RefundResult:
        """Give back a part of a charge or all of it, once per key."""


def plain(text: str) -> str:
    """A gateway's text as it can be stored and shown: printable, at most MOST_CHARACTERS."""
    return "".join(character for character in text if character.isprintable())[:MOST_CHARACTERS]


def refuse_open_transaction() -> None:
    """Every gateway calls this first: a lock must never wait for the network. Raises RuntimeError."""
    if connection.in_atomic_block:
        raise RuntimeError("a gateway was called inside a transaction: end transaction.atomic() before the call")
