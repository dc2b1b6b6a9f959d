"""Stripe's PaymentIntents and refunds. https://docs.stripe.com/api/payment_intents"""

import time
from typing import Any
from uuid import uuid4

from .answers import IdempotencyStore, Refusal, Reply, Thing
from .hooks import Outbox

TOKENS = ("pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired")
CANCELLABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")


class StripeAccount:
    """One account: its intents and refunds, oldest first."""

    def __init__(self, outbox: Outbox) -> None:
        self.intents: dict[str, Thing] = {}
        self.refunds: dict[str, Thing] = {}
        self.keys = IdempotencyStore()
        self.outbox = outbox

    def handle(self, method: str, path: list[str], body: Thing) -> Reply:
        match method, path:
            case "POST", ["payment_intents"]:
                return self._create(body)
            case "GET", ["payment_intents"]:
                return self._list(self.intents, body, "created")
            case "GET", ["payment_intents", name]:
                return Reply(200, self._intent(name))
            case "POST", ["payment_intents", name, "confirm"]:
                return self._confirm(self._intent(name), str(body.get("payment_method", "")))
            case "POST", ["payment_intents", name, "capture"]:
                return self._capture(self._intent(name))
            case "POST", ["payment_intents", name, "cancel"]:
                return self._cancel(self._intent(name))
            case "POST", ["refunds"]:
                return self._refund(body)
            case "GET", ["refunds"]:
                return self._list(self.refunds, body, "payment_intent")
            case "GET", ["refunds", name]:
                return Reply(200, self._found(self.refunds, name, "refund"))
        raise Refusal(error(404, "invalid_request_error", "Unrecognized request URL"))

    def customer_pays(self, name: str, token: str = "pm_card_visa") -> Thing:
        """The customer confirms in the storefront, with the client_secret."""
        try:
            return self._confirm(self.intents[name], token).body
        except Refusal as refusal:
            return refusal.reply.body

    def refund_ends(self, name: str, status: str) -> None:
        """A bank's later word about a refund."""
        refund = self.refunds[name]
        if status == "failed" and refund["status"] != "failed":
            self.intents[refund["payment_intent"]]["latest_charge"]["amount_refunded"] -= refund["amount"]
        refund["status"] = status
        self.outbox.add(event("refund.failed" if status == "failed" else "refund.updated", refund))

    def _create(self, body: Thing) -> Reply:
        name = f"pi_{uuid4().hex[:24]}"
        made: Thing = {
            "id": name,
            "object": "payment_intent",
            "amount": int(body["amount"]),
            "amount_received": 0,
            "amount_capturable": 0,
            "currency": body["currency"],
            "capture_method": body.get("capture_method", "automatic"),
            "client_secret": f"{name}_secret_{uuid4().hex[:24]}",
            "created": int(time.time()),
            "last_payment_error": None,
            "latest_charge": None,
            "metadata": body.get("metadata", {}),
            "status": "requires_payment_method",
        }
        if body.get("confirm") == "true" and body.get("payment_method") not in TOKENS:
            raise Refusal(error(400, "invalid_request_error", "No such PaymentMethod", "payment_method"))
        self.intents[name] = made
        return self._confirm(made, body["payment_method"]) if body.get("confirm") == "true" else Reply(200, dict(made))

    def _confirm(self, made: Thing, token: str) -> Reply:
        if made["status"] not in ("requires_payment_method", "requires_action"):
            raise Refusal(self._unexpected(made, "confirm"))
        if token == "pm_card_chargeDeclined":
            told = {"type": "card_error", "code": "card_declined", "message": "Your card was declined."}
            made |= {"status": "requires_payment_method", "last_payment_error": told}
            self._tell("payment_failed", made)
            raise Refusal(Reply(402, {"error": {**told, "payment_intent": dict(made)}}))
        if token == "pm_card_authenticationRequired":
            made["status"] = "requires_action"
            self._tell("requires_action", made)
            return Reply(200, dict(made))
        made |= {"status": "requires_capture", "amount_capturable": made["amount"], "last_payment_error": None}
        made["latest_charge"] = {"id": f"ch_{uuid4().hex[:24]}", "object": "charge", "amount_refunded": 0}
        if made["capture_method"] != "manual":
            return self._capture(made)
        self._tell("amount_capturable_updated", made)
        return Reply(200, dict(made))

    def _capture(self, made: Thing) -> Reply:
        if made["status"] != "requires_capture":
            raise Refusal(self._unexpected(made, "capture"))
        made |= {"status": "succeeded", "amount_received": made["amount_capturable"], "amount_capturable": 0}
        self._tell("succeeded", made)
        return Reply(200, dict(made))

    def _cancel(self, made: Thing) -> Reply:
        if made["status"] not in CANCELLABLE:
            raise Refusal(self._unexpected(made, "cancel"))
        made |= {"status": "canceled", "amount_capturable": 0}
        self._tell("canceled", made)
        return Reply(200, dict(made))

    def _refund(self, body: Thing) -> Reply:
        intent, amount = self._intent(str(body["payment_intent"])), int(body["amount"])
        charge = intent["latest_charge"]
        if charge is None or amount > intent["amount_received"] - charge["amount_refunded"]:
            told = "Refund amount is greater than unrefunded amount on charge"
            raise Refusal(error(400, "invalid_request_error", told, "amount"))
        charge["amount_refunded"] += amount
        made = {
            "id": f"re_{uuid4().hex[:24]}",
            "object": "refund",
            "amount": amount,
            "payment_intent": intent["id"],
            "metadata": body.get("metadata", {}),
            "created": int(time.time()),
            "status": "succeeded",
        }
        self.refunds[made["id"]] = made
        self.outbox.add(event("refund.created", made))
        return Reply(200, dict(made))

    def _list(self, things: dict[str, Thing], body: Thing, by: str) -> Reply:
        """Newest first, a page of at most `limit`, after `starting_after`."""
        least = int(body.get("created", {}).get("gte", 0)) if by == "created" else 0
        wanted = body.get("payment_intent", "") if by == "payment_intent" else ""
        found = [one for one in reversed(things.values()) if one["created"] >= least]
        found = [one for one in found if not wanted or one["payment_intent"] == wanted]
        names = [one["id"] for one in found]
        start = names.index(body["starting_after"]) + 1 if body.get("starting_after") in names else 0
        limit = int(body.get("limit", 10))
        page, url = found[start : start + limit], "/v1/payment_intents" if by == "created" else "/v1/refunds"
        more = len(found) > start + limit
        return Reply(200, {"object": "list", "url": url, "has_more": more, "data": page})

    def _intent(self, name: str) -> Thing:
        return self._found(self.intents, name, "payment_intent")

    def _found(self, things: dict[str, Thing], name: str, kind: str) -> Thing:
        if name not in things:
            raise Refusal(error(404, "invalid_request_error", f"No such {kind}: '{name}'", "id", "resource_missing"))
        return things[name]

    def _unexpected(self, made: Thing, step: str) -> Reply:
        told = f"You cannot {step} this PaymentIntent because it has a status of {made['status']}."
        return error(400, "invalid_request_error", told, "", "payment_intent_unexpected_state")

    def _tell(self, kind: str, made: Thing) -> None:
        self.outbox.add(event(f"payment_intent.{kind}", made))


def error(status: int, kind: str, message: str, param: str = "", code: str = "") -> Reply:
    """An error in Stripe's shape."""
    told: dict[str, Any] = {"type": kind, "message": message}
    return Reply(status, {"error": told | ({"param": param} if param else {}) | ({"code": code} if code else {})})


def event(kind: str, thing: Thing) -> Thing:
    """A webhook's body, with the thing as it is now."""
    about = {"object": {name: value for name, value in thing.items() if name != "client_secret"}}
    made = {"id": f"evt_{uuid4().hex[:24]}", "object": "event", "type": kind, "created": int(time.time())}
    return {**made, "data": about}
