"""Buyers, each a thread of its own: they sign up, order, try again under the same key, cancel, pay again."""

import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from bharatmart.demo.shop import ADDRESS, Shop

from .plan import OrderPlan, Scenario

PAUSE = 0.3  # seconds until a buyer tries again
TIMEOUT = (3.0, 30.0)
PATIENCE = 25.0  # seconds that a buyer waits for the news that the payment failed
FINAL = range(200, 500)


@dataclass(frozen=True)
class Accepted:
    """An order whose 201 its buyer got, at first or when asking again under the same key."""

    order_id: int
    scenario: Scenario


@dataclass
class Stream:
    """What all buyers together have seen so far."""

    orders: Sequence[OrderPlan]
    accepted: list[Accepted] = field(default_factory=list)
    asked: int = 0
    sold_out: int = 0
    tried_again: int = 0
    unexpected: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> OrderPlan | None:
        """The next order to place."""
        with self.lock:
            if self.asked == len(self.orders) or self.stop.is_set():
                return None
            self.asked += 1
            return self.orders[self.asked - 1]


@dataclass
class Shelf:
    """What may be bought: SKUs with plenty of stock, and those of which few are left."""

    plenty: Sequence[str]
    scarce: Sequence[str]

    def lines(self, plan: OrderPlan) -> list[dict[str, Any]]:
        lines = [{"sku": self.plenty[place], "quantity": pieces} for place, pieces in plan.wanted]
        if plan.scarce:
            lines.append({"sku": self.scarce[plan.number % len(self.scarce)], "quantity": 1})
        return lines


class Buyer(threading.Thread):
    """Places orders until none is left, then does what it still owes (cancel, pay again)."""

    def __init__(self, name: str, shop: Shop, stream: Stream, shelf: Shelf, key: str) -> None:
        super().__init__(name=name, daemon=True)
        self.shop, self.stream, self.shelf, self.key = shop, stream, shelf, key
        self.password = secrets.token_urlsafe(12)
        self.owed: list[tuple[float, int]] = []  # since when, the order to pay again

    def run(self) -> None:
        try:
            self._sign_up()
            while plan := self.stream.take():
                self._order(plan)
                self._pay_again()
                self.stream.stop.wait(plan.pause)
            while self.owed and not self.stream.stop.wait(PAUSE):
                self._pay_again()
        except Exception as error:
            self.stream.unexpected.append(f"{self.name} gave up: {type(error).__name__}: {error}")
        finally:
            self.shop.close()

    def _sign_up(self) -> None:
        """A repetition may find the address taken, by this very buyer."""
        account = {"email": f"{self.name}@bharatmart.example", "password": self.password}
        self._ask("POST", "/api/auth/app/v1/auth/signup", account | {"first_name": "Asha"})
        status, answer = self._ask("POST", "/api/auth/app/v1/auth/login", account)
        if status == 200:
            self.shop.session.headers["X-Session-Token"] = str(answer["meta"]["session_token"])
        elif status:
            self.stream.unexpected.append(f"{self.name} cannot log in: {status} {answer}")

    def _order(self, plan: OrderPlan) -> None:
        body = {"lines": self.shelf.lines(plan), "shipping": ADDRESS, "payment_token": plan.scenario.token}
        status, answer = self._ask("POST", "/api/orders", body, f"{self.key}-{plan.number}")
        if status == 201:
            self.stream.accepted.append(Accepted(int(answer["id"]), plan.scenario))
            self._follow_up(plan.scenario, int(answer["id"]))
        elif status == 409 and answer["code"] == "out_of_stock":
            self.stream.sold_out += 1
        elif status:
            self.stream.unexpected.append(f"order {plan.number}: {status} {answer}")

    def _follow_up(self, scenario: Scenario, order_id: int) -> None:
        if scenario.then == "cancel":
            self._expect(f"/api/orders/{order_id}/cancel", None, 200, "order_not_cancellable")
        elif scenario.then == "pay again":
            self.owed.append((time.monotonic(), order_id))

    def _pay_again(self) -> None:
        """Pay with a good card once the first payment has failed; after a while it is not worth it any more."""
        for since, order_id in list(self.owed):
            status, answer = self._ask("GET", f"/api/orders/{order_id}")
            if status == 200 and answer["state"] == "payment_failed":
                body = {"payment_token": "tok_success"}
                known = ("payment_in_progress", "order_not_payable", "out_of_stock")
                self._expect(f"/api/orders/{order_id}/pay", body, 202, *known)
                self.owed.remove((since, order_id))
            elif time.monotonic() - since > PATIENCE:
                self.owed.remove((since, order_id))

    def _expect(self, path: str, body: dict[str, Any] | None, wanted: int, *codes: str) -> None:
        status, answer = self._ask("POST", path, body)
        if status and status != wanted and answer.get("code") not in codes:
            self.stream.unexpected.append(f"{path}: {status} {answer}")

    def _ask(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, dict[str, Any]]:
        """The first answer that is one: no answer and a 5xx are tried again, with the same key. 0 when stopped."""
        headers = {"Idempotency-Key": key} if key else {}
        while not self.stream.stop.is_set():
            try:
                url = self.shop.url + path
                response = self.shop.session.request(method, url, json=body, headers=headers, timeout=TIMEOUT)
                if response.status_code in FINAL:
                    return response.status_code, response.json()
            except requests.RequestException:
                pass
            self.stream.tried_again += 1
            self.stream.stop.wait(PAUSE)
        return 0, {}
