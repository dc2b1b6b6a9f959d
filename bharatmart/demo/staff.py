"""The shop's staff, over HTTP: the queue of reviews in the admin, parcels and returned goods in the API."""

import re
from typing import Any

import requests

from .errors import ShopRefused
from .shop import TIMEOUT

CARRIER = "India Post"
LOG_IN, REVIEWS = "/admin/login/", "/admin/orders/reviewitem/"
REFUND = "/admin/payments/payment/{}/refund/"
WISH = re.compile(r'name="wish" value="([0-9a-f-]{36})"')
REVIEW_LINK = re.compile(REVIEWS + r"(\d+)/change/")


class Staff:
    """Somebody who works in the shop at `url`, in a browser."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def close(self) -> None:
        """Let go of the connection, for which the web would wait when it stops."""
        self.session.close()

    def log_in(self, email: str, password: str) -> None:
        """In the admin, for the API too. Raises ShopRefused."""
        self._call("GET", LOG_IN)
        self._post_form(f"{LOG_IN}?next={REVIEWS}", {"username": email, "password": password})
        if "sessionid" not in self.session.cookies:
            raise ShopRefused(f"The admin does not let {email} in.")

    def reviews(self, order_id: int, kind: str) -> list[int]:
        """The open reviews of that kind about the order, as the queue in the admin lists them."""
        page = self._call("GET", f"{REVIEWS}?q={order_id}&kind__exact={kind}")
        return [int(number) for number in dict.fromkeys(REVIEW_LINK.findall(page.text))]

    def approve(self, review: int, note: str) -> None:
        """What the button Approve on the review's page does."""
        self._post_form(f"{REVIEWS}{review}/decide/", {"approve": "Approve", "note": note})

    def refund_form(self, payment: int) -> str:
        """Open the form that asks for a refund of the payment; its own name."""
        return str(WISH.findall(self._call("GET", REFUND.format(payment)).text)[0])

    def refund(self, payment: int, wish: str, amount_paise: int, reason: str) -> None:
        """Send that form; sent again, it is the same refund."""
        form = {"amount_paise": str(amount_paise), "reason": reason, "wish": wish}
        self._post_form(REFUND.format(payment), form)

    def ship(self, order_id: int) -> None:
        self._post(f"/api/orders/{order_id}/ship", {"carrier": CARRIER, "tracking_number": f"EM{order_id:09}IN"})

    def deliver(self, order_id: int) -> None:
        self._post(f"/api/orders/{order_id}/deliver", {})

    def receive(self, return_id: int) -> None:
        """The returned goods are here, undamaged."""
        self._post(f"/api/returns/{return_id}/receive", {})

    def _post(self, path: str, body: dict[str, Any]) -> None:
        self._call("POST", path, json=body, headers={"X-CSRFToken": self._csrf_token()})

    def _post_form(self, path: str, fields: dict[str, str]) -> None:
        self._call("POST", path, data={"csrfmiddlewaretoken": self._csrf_token(), **fields})

    def _csrf_token(self) -> str:
        return self.session.cookies.get("csrftoken") or ""

    def _call(self, method: str, path: str, **body: Any) -> requests.Response:
        response = self.session.request(method, self.url + path, timeout=TIMEOUT, **body)
        if not response.ok:
            raise ShopRefused(f"{method} {path} answered {response.status_code} to staff: {response.text[:500]}")
        return response
