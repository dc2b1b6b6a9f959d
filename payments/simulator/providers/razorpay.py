"""Razorpay's orders, payments and refunds. https://razorpay.com/docs/api"""

import time
from typing import Any
from uuid import uuid4

from .answers import IdempotencyStore, Refusal, Reply, Thing
from .hooks import Outbox


class RazorpayAccount:
    """One account: its orders, the attempts to pay them, and refunds."""

    def __init__(self, outbox: Outbox) -> None:
        self.orders: dict[str, Thing] = {}
        self.payments: dict[str, Thing] = {}
        self.refunds: dict[str, Thing] = {}
        self.keys = IdempotencyStore()
        self.outbox = outbox
        self.refunds_begin = "processed"

    def handle(self, method: str, path: list[str], body: Thing) -> Reply:
        match method, path:
            case "POST", ["orders"]:
                return self._create(body)
            case "GET", ["orders"]:
                return _collection([one for one in self.orders.values() if one["receipt"] == body.get("receipt")])
            case "GET", ["orders", name]:
                return Reply(200, self._found(self.orders, name))
            case "GET", ["orders", name, "payments"]:
                return _collection([one for one in self.payments.values() if one["order_id"] == name])
            case "GET", ["payments", name]:
                return Reply(200, self._found(self.payments, name))
            case "POST", ["payments", name, "capture"]:
                return self._capture(self._found(self.payments, name), body)
            case "POST", ["payments", name, "refund"]:
                return self._refund(self._found(self.payments, name), body)
            case "GET", ["payments", name, "refunds"]:
                return _collection([one for one in self.refunds.values() if one["payment_id"] == name])
            case "GET", ["refunds", name]:
                return Reply(200, self._found(self.refunds, name))
        raise Refusal(error(400, "The requested URL was not found on the server."))

    def customer_pays(self, order: str, outcome: str = "captured", amount: int = 0) -> Thing:
        """The customer pays in the checkout. `outcome`: captured, authorized or failed.

        A captured one stays authorized where the order wants a capture by hand.
        """
        of = self.orders[order]
        made: Thing = {
            "id": f"pay_{uuid4().hex[:14]}",
            "entity": "payment",
            "order_id": order,
            "amount": amount or of["amount"],
            "currency": of["currency"],
            "status": "failed" if outcome == "failed" else "authorized",
            "amount_refunded": 0,
            "created_at": int(time.time()),
            "error_description": "Payment was declined by the bank." if outcome == "failed" else None,
            "notes": [],
        }
        self.payments[made["id"]] = made
        self._tell(f"payment.{made['status']}", made)
        if outcome == "captured" and of["capture"] == "automatic":
            self._take(made)
        return made

    def late_authorization(self, payment: str) -> None:
        """`failed -> authorized` is legal for days."""
        self.payments[payment]["status"] = "authorized"
        self._tell("payment.authorized", self.payments[payment])

    def refund_ends(self, name: str, status: str) -> None:
        refund = self.refunds[name]
        if status == "failed" and refund["status"] != "failed":
            self.payments[refund["payment_id"]]["amount_refunded"] -= refund["amount"]
        refund["status"] = status
        self._tell_refund(f"refund.{status}", refund)

    def _create(self, body: Thing) -> Reply:
        made = {
            "id": f"order_{len(self.orders):05}{uuid4().hex[:9]}",  # the later the greater, as Razorpay's are
            "entity": "order",
            "amount": body["amount"],
            "currency": body["currency"],
            "receipt": body.get("receipt"),
            "status": "created",
            "capture": body.get("payment", {}).get("capture", "manual"),
            "notes": body.get("notes", []),
            "created_at": int(time.time()),
        }
        self.orders[made["id"]] = made
        return Reply(200, dict(made))

    def _capture(self, made: Thing, body: Thing) -> Reply:
        if made["status"] != "authorized":
            raise Refusal(error(400, "This payment has already been captured"))
        if (body.get("amount"), body.get("currency")) != (made["amount"], made["currency"]):
            raise Refusal(error(400, "Capture amount must be equal to the amount authorized"))
        self._take(made)
        return Reply(200, dict(made))

    def _take(self, made: Thing) -> None:
        made["status"] = "captured"
        self.orders[made["order_id"]]["status"] = "paid"
        self._tell("payment.captured", made)
        self._tell("order.paid", made)

    def _refund(self, payment: Thing, body: Thing) -> Reply:
        amount = body.get("amount", 0)
        if payment["status"] not in ("captured", "refunded") or amount > payment["amount"] - payment["amount_refunded"]:
            raise Refusal(error(400, "The total refund amount is greater than the refund payment amount"))
        payment["amount_refunded"] += amount
        payment["status"] = "refunded" if payment["amount_refunded"] == payment["amount"] else "captured"
        made = {
            "id": f"rfnd_{uuid4().hex[:14]}",
            "entity": "refund",
            "amount": amount,
            "payment_id": payment["id"],
            "notes": body.get("notes", []),
            "status": self.refunds_begin,
            "created_at": int(time.time()),
        }
        self.refunds[made["id"]] = made
        self._tell_refund(f"refund.{'created' if self.refunds_begin == 'pending' else self.refunds_begin}", made)
        return Reply(200, dict(made))

    def _found(self, things: dict[str, Thing], name: str) -> Thing:
        if name not in things:
            raise Refusal(error(400, "The id provided does not exist"))
        return things[name]

    def _tell(self, kind: str, payment: Thing) -> None:
        payload: Thing = {"payment": {"entity": dict(payment)}}
        if kind == "order.paid":
            payload["order"] = {"entity": dict(self.orders[payment["order_id"]])}
        self.outbox.add(event(kind, payload))

    def _tell_refund(self, kind: str, refund: Thing) -> None:
        payment = self.payments[refund["payment_id"]]
        self.outbox.add(event(kind, {"refund": {"entity": dict(refund)}, "payment": {"entity": dict(payment)}}))


def error(status: int, message: str) -> Reply:
    """An error in Razorpay's shape."""
    return Reply(status, {"error": {"code": "BAD_REQUEST_ERROR", "description": message}})


def event(kind: str, payload: Thing) -> Thing:
    """A webhook's body."""
    made: dict[str, Any] = {"entity": "event", "account_id": "acc_1", "event": kind, "contains": list(payload)}
    return {**made, "payload": payload, "created_at": int(time.time())}


def _collection(items: list[Thing]) -> Reply:
    return Reply(200, {"entity": "collection", "count": len(items), "items": items})
