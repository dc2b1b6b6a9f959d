"""The shop's desk: what buyers and staff do once an order is paid for, each step until it is seen to be done."""

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from bharatmart.demo.errors import ShopRefused
from bharatmart.demo.staff import Staff

REASON = "chaos: one box was broken"
PAUSE, PATIENCE = 0.15, 120.0  # seconds between two steps; for which a wish is gone on with
SERVER_ERROR = re.compile(r"answered (5\d\d|429)")
Answer = dict[str, Any]
Ask = Callable[..., tuple[int, Any]]


@dataclass(frozen=True)
class GivenBack:
    """What staff asked to be given back of an order's money; not `sure` while the answer to that was lost."""

    amount_paise: int
    sure: bool = True


@dataclass(frozen=True)
class Wish:
    """What shall happen with an order, since when, and how its buyer asks the shop."""

    since: float
    order_id: int
    then: str
    ask: Ask


class Desk(threading.Thread):
    """A member of staff with a queue of wishes, served in turn until `has_closed` says that no more will come."""

    def __init__(self, url: str, staff: tuple[str, str], has_closed: Callable[[], bool], stop: threading.Event) -> None:
        super().__init__(name="desk", daemon=True)
        self.staff, (self.email, self.password) = Staff(url), staff
        self.has_closed, self.stop = has_closed, stop
        self.wishes: deque[Wish] = deque()
        self.given_back: dict[int, GivenBack] = {}
        self.forms: dict[int, tuple[int, str]] = {}
        self.unexpected: list[str] = []
        self.is_in = False

    def run(self) -> None:
        while not self.stop.wait(PAUSE) and (self.wishes or not self.has_closed()):
            if self.wishes:
                wish = self.wishes.popleft()
                if not self._is_done(wish) and time.monotonic() - wish.since < PATIENCE:
                    self.wishes.append(wish)
        self.staff.close()

    def _is_done(self, wish: Wish) -> bool:
        """Whether it is, after its next step. What has no proper answer is tried again another time."""
        try:
            return self._serve(wish)
        except requests.RequestException:
            return False
        except ShopRefused as refusal:
            if not SERVER_ERROR.search(str(refusal)):
                self.unexpected.append(str(refusal))
            return False

    def _serve(self, wish: Wish) -> bool:
        status, order = wish.ask("GET", f"/api/orders/{wish.order_id}")
        if status != 200 or order["state"] == "cancelled":
            return bool(status == 200)
        if order["state"] == "processing" and "invoice" not in order["links"]:
            return False
        if not self.is_in:
            self.staff.log_in(self.email, self.password)
            self.is_in = True
        return self._refund(wish) if wish.then == "be refunded" else self._go_on_with_return(wish, order)

    def _refund(self, wish: Wish) -> bool:
        """Give back a third, by one form of the admin, sent again until it is answered."""
        if wish.order_id not in self.forms:
            _, answer = wish.ask("GET", f"/api/orders/{wish.order_id}/payments")
            paid = [one for one in answer.get("results", []) if one["captured_paise"] > one["refunded_paise"]]
            if not paid:
                return False
            self.forms[wish.order_id] = (int(paid[0]["id"]), self.staff.refund_form(paid[0]["id"]))
            self.given_back[wish.order_id] = GivenBack(paid[0]["captured_paise"] // 3, sure=False)
        asked = self.given_back[wish.order_id].amount_paise
        self.staff.refund(*self.forms[wish.order_id], asked, REASON)
        self.given_back[wish.order_id] = GivenBack(asked)
        return True

    def _go_on_with_return(self, wish: Wish, order: Answer) -> bool:
        """To the customer, and one piece back: done when its credit note can be read."""
        match order["state"]:
            case "processing":
                self.staff.ship(wish.order_id)
            case "shipped":
                self.staff.deliver(wish.order_id)
            case "delivered":
                _, returns = wish.ask("GET", f"/api/orders/{wish.order_id}/returns")
                return self._answer(wish, returns[0]) if returns else self._ask_return(wish, order)
        return False

    def _ask_return(self, wish: Wish, order: Answer) -> bool:
        body = {"lines": [{"sku": order["lines"][0]["sku"], "quantity": 1}], "reason": "One is enough."}
        status, answer = wish.ask("POST", f"/api/orders/{order['id']}/returns", body, f"return-{order['id']}")
        if status not in (0, 201):
            self.unexpected.append(f"return of order {order['id']}: {status} {answer}")
        return False

    def _answer(self, wish: Wish, wanted: Answer) -> bool:
        match wanted["state"]:
            case "requested":
                for review in self.staff.reviews(wish.order_id, "return_request")[:1]:
                    self.staff.approve(review, "Looks right.")
            case "approved":
                self.staff.receive(int(wanted["id"]))
            case "refunded":
                return bool(wish.ask("GET", f"/api/orders/{wish.order_id}/credit-notes")[1])
        return False
