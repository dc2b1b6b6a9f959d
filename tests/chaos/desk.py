"""The shop's desk: what a buyer and staff do once an order is paid for, each step until it is seen to be done."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from bharatmart.demo.errors import ShopRefused
from bharatmart.demo.staff import Staff

REASON = "chaos: one box was broken"
WISH = re.compile(r'name="wish" value="([0-9a-f-]{36})"')
SERVER_ERROR = re.compile(r"answered (5\d\d|429)")
Answer = dict[str, Any]
Ask = Callable[..., tuple[int, Any]]


@dataclass(frozen=True)
class GivenBack:
    """What staff asked to be given back of an order's money; not `sure` while the answer to that was lost."""

    amount_paise: int
    sure: bool = True


class Desk(Staff):
    """A member of staff who serves one buyer, whose requests are made by `ask`."""

    def __init__(self, url: str, email: str, password: str, ask: Ask) -> None:
        super().__init__(url)
        self.email, self.password, self.ask = email, password, ask
        self.given_back: dict[int, GivenBack] = {}
        self.forms: dict[int, tuple[int, str]] = {}
        self.unexpected: list[str] = []
        self.is_in = False

    def serve(self, order_id: int, then: str) -> bool:
        """The next step of it; whether it is done with. What has no proper answer is tried again another time."""
        try:
            return self._serve(order_id, then)
        except requests.RequestException:
            return False
        except ShopRefused as refusal:
            if not SERVER_ERROR.search(str(refusal)):
                self.unexpected.append(str(refusal))
            return False

    def _serve(self, order_id: int, then: str) -> bool:
        status, order = self.ask("GET", f"/api/orders/{order_id}")
        if status != 200 or order["state"] == "cancelled":
            return bool(status == 200)
        if order["state"] == "processing" and "invoice" not in order["links"]:
            return False
        if not self.is_in:
            self.log_in(self.email, self.password)
            self.is_in = True
        return self._refund(order_id) if then == "be refunded" else self._go_on_with_return(order)

    def _refund(self, order_id: int) -> bool:
        """Give back a third, by one form of the admin, sent again until it is answered."""
        if order_id not in self.forms:
            _, answer = self.ask("GET", f"/api/orders/{order_id}/payments")
            paid = [one for one in answer.get("results", []) if one["captured_paise"] > one["refunded_paise"]]
            if not paid:
                return False
            page = self._call("GET", self._page(paid[0]["id"]))
            self.forms[order_id] = (int(paid[0]["id"]), WISH.findall(page.text)[0])
            self.given_back[order_id] = GivenBack(paid[0]["captured_paise"] // 3, sure=False)
        (payment, wish), asked = self.forms[order_id], self.given_back[order_id].amount_paise
        self._post_form(self._page(payment), {"amount_paise": str(asked), "reason": REASON, "wish": wish})
        self.given_back[order_id] = GivenBack(asked)
        return True

    def _page(self, payment: int) -> str:
        return f"/admin/payments/payment/{payment}/refund/"

    def _go_on_with_return(self, order: Answer) -> bool:
        """To the customer, and one piece back: done when its credit note can be read."""
        order_id = int(order["id"])
        match order["state"]:
            case "processing":
                self.ship(order_id)
            case "shipped":
                self.deliver(order_id)
            case "delivered":
                _, returns = self.ask("GET", f"/api/orders/{order_id}/returns")
                return self._answer(order_id, returns[0]) if returns else self._ask_return(order)
        return False

    def _ask_return(self, order: Answer) -> bool:
        body = {"lines": [{"sku": order["lines"][0]["sku"], "quantity": 1}], "reason": "One is enough."}
        status, answer = self.ask("POST", f"/api/orders/{order['id']}/returns", body, f"return-{order['id']}")
        if status not in (0, 201):
            self.unexpected.append(f"return of order {order['id']}: {status} {answer}")
        return False

    def _answer(self, order_id: int, wanted: Answer) -> bool:
        match wanted["state"]:
            case "requested":
                for review in self.reviews(order_id, "return_request")[:1]:
                    self.approve(review, "Looks right.")
            case "approved":
                self.receive(int(wanted["id"]))
            case "refunded":
                return bool(self.ask("GET", f"/api/orders/{order_id}/credit-notes")[1])
        return False
