"""What customers do at Stripe and Razorpay, and what the fakes of both have written down."""

from typing import Any

import requests

Entry = dict[str, Any]
TIMEOUT = (3.0, 15.0)


class Checkout:
    """The fakes at `url`, as their customers and their director see them (payments/simulator/providers/control.py)."""

    def __init__(self, url: str) -> None:
        self.url = url

    def pay(self, gateway: str, client: dict[str, str]) -> Entry:
        """Confirm a payment in the checkout, with what the shop has told the storefront."""
        if gateway == "stripe":
            return self.direct("pay/stripe", {"intent": client["client_secret"].partition("_secret_")[0]})
        return self.direct("pay/razorpay", {"order": client["order_id"]})

    def calm(self) -> None:
        """End every fault."""
        self.direct("calm")

    def direct(self, path: str, wish: dict[str, Any] | None = None) -> Entry:
        with requests.Session() as session:
            session.trust_env = False
            response = session.post(f"{self.url}/control/{path}", json=wish or {}, timeout=TIMEOUT)
            response.raise_for_status()
            return dict(response.json())

    def book(self) -> list[Entry]:
        """Every charge and refund of both."""
        return entries_of(self.direct("book"))

    def webhooks(self) -> dict[str, dict[str, int]]:
        """How many each has sent, and how many of them were not taken."""
        return {provider: facts["webhooks"] for provider, facts in self.direct("book").items()}


def entries_of(book: dict[str, Any]) -> list[Entry]:
    """Charges and refunds in the form of the simulated gateway's book; `key` is the payment's key in the shop."""
    return [*_of_stripe(book["stripe"]), *_of_razorpay(book["razorpay"])]


def _of_stripe(book: Entry) -> list[Entry]:
    charges = [
        _charge(one["metadata"]["payment"], one["id"], one["amount_received"], one["metadata"]["order"], "stripe")
        for one in book["intents"]
        if one["amount_received"]
    ]
    return [*charges, *(_refund(one, "payment_intent") for one in book["refunds"] if one["status"] == "succeeded")]


def _of_razorpay(book: Entry) -> list[Entry]:
    orders = {one["id"]: one for one in book["orders"]}
    charges = [
        _charge(of["receipt"], one["id"], one["amount"], of["notes"]["order"], "razorpay")
        for one in book["payments"]
        if one["status"] in ("captured", "refunded") and (of := orders[one["order_id"]])
    ]
    return [*charges, *(_refund(one, "payment_id") for one in book["refunds"] if one["status"] == "processed")]


def _charge(key: str, reference: str, amount_paise: int, order: str, gateway: str) -> Entry:
    facts = {"key": key, "reference": reference, "amount_paise": amount_paise, "order_id": int(order)}
    return {"effect": "charge", "status": "captured", "gateway": gateway, **facts}


def _refund(made: Entry, charge: str) -> Entry:
    facts = {"charge": made[charge], "amount_paise": made["amount"], "reference": made["id"], "key": made["id"]}
    return {"effect": "refund", "status": "succeeded", **facts}
