"""Buyers, each a thread of its own: they sign up, order, try again under the same key, cancel, pay, send back."""

import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from bharatmart.demo.providers import Checkout
from bharatmart.demo.shop import ADDRESS, Shop

from .desk import Desk, Wish
from .plan import OrderPlan, Scenario

PAUSE = 0.3  # seconds until a buyer tries again
TIMEOUT = (3.0, 30.0)
PATIENCE = 25.0  # seconds that a buyer waits for news
LONG_PATIENCE = {"confirm late": 70.0, "cancel, then pay": 70.0}
FINAL = range(200, 500)
AT_THE_DESK = ("be refunded", "send back")


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

    def ask(self, shop: Shop, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        """The first answer that is one: no answer and a 5xx are tried again, with the same key. 0 when stopped."""
        headers = {"Idempotency-Key": key} if key else {}
        while not self.stop.is_set():
            try:
                response = shop.session.request(method, shop.url + path, json=body, headers=headers, timeout=TIMEOUT)
                if response.status_code in FINAL:
                    return response.status_code, response.json()
            except requests.RequestException:
                pass
            self.tried_again += 1
            self.stop.wait(PAUSE)
        return 0, {}


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


@dataclass(frozen=True)
class Owed:
    """What a buyer still wants to do about an order, and since when."""

    since: float
    order_id: int
    then: str
    gateway: str


class Buyer(threading.Thread):
    """Places orders until none is left, then does what it still owes (cancel, pay again)."""

    def __init__(
        self, name: str, shop: Shop, stream: Stream, shelf: Shelf, key: str, checkout: Checkout, desk: Desk
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.shop, self.stream, self.shelf, self.key, self.checkout = shop, stream, shelf, key, checkout
        self.desk, self.at_the_desk = desk, Shop(shop.url)
        self.password = secrets.token_urlsafe(12)
        self.owed: list[Owed] = []
        self.clients: dict[int, dict[str, str]] = {}

    def run(self) -> None:
        try:
            self._sign_up()
            while plan := self.stream.take():
                self._order(plan)
                self._do_what_is_owed()
                self.stream.stop.wait(plan.pause)
            while self.owed and not self.stream.stop.wait(PAUSE):
                self._do_what_is_owed()
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
            for shop in (self.shop, self.at_the_desk):
                shop.session.headers["X-Session-Token"] = str(answer["meta"]["session_token"])
        elif status:
            self.stream.unexpected.append(f"{self.name} cannot log in: {status} {answer}")

    def _order(self, plan: OrderPlan) -> None:
        scenario = plan.scenario
        token = "" if scenario.gateway else scenario.token
        body = {"lines": self.shelf.lines(plan), "shipping": ADDRESS, "payment_token": token}
        status, answer = self._ask("POST", "/api/orders", body, f"{self.key}-{plan.number}")
        if status == 201:
            self.stream.accepted.append(Accepted(int(answer["id"]), scenario))
            self._follow_up(scenario, int(answer["id"]))
        elif status == 409 and answer["code"] == "out_of_stock":
            self.stream.sold_out += 1
        elif status:
            self.stream.unexpected.append(f"order {plan.number}: {status} {answer}")

    def _follow_up(self, scenario: Scenario, order_id: int) -> None:
        if scenario.gateway:
            self._pay(order_id, scenario.gateway, scenario.token)
        elif scenario.then == "cancel":
            return self._cancel(order_id)
        if scenario.then in AT_THE_DESK:
            self.desk.wishes.append(Wish(time.monotonic(), order_id, scenario.then, self._ask_at_the_desk))
        elif scenario.then:
            self.owed.append(Owed(time.monotonic(), order_id, scenario.then, scenario.gateway))

    def _do_what_is_owed(self) -> None:
        """After a while it is not worth it any more."""
        for owed in list(self.owed):
            if self._act(owed) or time.monotonic() - owed.since > LONG_PATIENCE.get(owed.then, PATIENCE):
                self.owed.remove(owed)

    def _act(self, owed: Owed) -> bool:
        """Do it if its time has come; whether it is done with."""
        if not owed.gateway:
            return self._pay_again(owed.order_id)
        status, answer = self._ask("GET", f"/api/orders/{owed.order_id}/payments")
        payment = (answer.get("results") or [{}])[0] if status == 200 else {}
        if owed.then == "confirm late" or owed.order_id in self.clients:
            return self._pay_late(owed, payment)
        if payment.get("state") != "pending" or not payment["client"]:
            return False
        match owed.then:
            case "confirm":
                self._confirm(owed, payment)
            case "confirm twice":
                self._confirm(owed, payment)
                self._confirm(owed, payment)
            case "cancel, then pay":
                self.clients[owed.order_id] = payment["client"]
                self._cancel(owed.order_id)
                return False
            case "switch":
                self._pay(owed.order_id, "stripe", "pm_card_visa")
            case "cancel":
                self._cancel(owed.order_id)
        return True

    def _pay_again(self, order_id: int) -> bool:
        """Pay with a good card once the first payment has failed."""
        status, answer = self._ask("GET", f"/api/orders/{order_id}")
        if status != 200 or answer["state"] != "payment_failed":
            return False
        self._pay(order_id, "", "tok_success")
        return True

    def _pay_late(self, owed: Owed, payment: dict[str, Any]) -> bool:
        """Pay at the provider when the payment was cancelled, by what its storefront was told before."""
        if payment.get("client"):
            self.clients[owed.order_id] = payment["client"]
        if payment.get("state") != "cancelled" or owed.order_id not in self.clients:
            return False
        self.checkout.pay(owed.gateway, self.clients[owed.order_id])
        return True

    def _confirm(self, owed: Owed, payment: dict[str, Any]) -> None:
        """Pay at the provider; every other time the storefront says so too."""
        self.checkout.pay(owed.gateway, payment["client"])
        if owed.gateway == "stripe" and owed.order_id % 2:
            self._expect(f"/api/payments/{payment['id']}/confirm", {}, 202)

    def _cancel(self, order_id: int) -> None:
        self._expect(f"/api/orders/{order_id}/cancel", None, (200, 202), "order_not_cancellable", "payment_in_progress")

    def _pay(self, order_id: int, gateway: str, token: str) -> None:
        """A repetition finds the payment in progress, or the order's time to pay over."""
        body = {name: value for name, value in (("gateway", gateway), ("payment_token", token)) if value}
        known = ("payment_in_progress", "order_not_payable", "out_of_stock")
        self._expect(f"/api/orders/{order_id}/pay", body, 202, *known)

    def _expect(self, path: str, body: dict[str, Any] | None, wanted: int | tuple[int, ...], *codes: str) -> None:
        status, answer = self._ask("POST", path, body)
        if (
            status
            and status not in (wanted if isinstance(wanted, tuple) else (wanted,))
            and answer.get("code") not in codes
        ):
            self.stream.unexpected.append(f"{path}: {status} {answer}")

    def _ask(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        return self.stream.ask(self.shop, method, path, body, key)

    def _ask_at_the_desk(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        return self.stream.ask(self.at_the_desk, method, path, body, key)
