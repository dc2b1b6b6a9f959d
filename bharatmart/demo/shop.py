"""A customer of the shop, over HTTP, as an app would do it."""

from typing import Any
from uuid import uuid4

import requests

from .errors import ShopRefused

TIMEOUT = (3.0, 15.0)
TRIES = 3
Answer = dict[str, Any]

ADDRESS = {
    "name": "Asha Rao",
    "line": "14, 2nd Cross, Malleshwaram",
    "city": "Bengaluru",
    "state": "Karnataka",
    "pincode": "560003",
    "phone": "+91 9880012345",
}


class Shop:
    """The shop at `url`, for one customer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy stands between us and this machine

    def close(self) -> None:
        """Let go of the connection, for which the web would wait when it stops."""
        self.session.close()

    def is_ready(self) -> bool:
        """Whether it can serve."""
        try:
            return self.session.get(f"{self.url}/api/health/ready", timeout=TIMEOUT).status_code == 200
        except requests.RequestException:
            return False

    def sign_up(self, email: str, password: str) -> None:
        self._call("POST", "/api/auth/app/v1/auth/signup", {"email": email, "password": password, "first_name": "Asha"})

    def log_in(self, email: str, password: str) -> None:
        """From here on every request bears the session's token."""
        answer = self._call("POST", "/api/auth/app/v1/auth/login", {"email": email, "password": password})
        self.session.headers["X-Session-Token"] = str(answer["meta"]["session_token"])

    def products(self) -> list[Answer]:
        """The first page of what is on sale."""
        return list(self._call("GET", "/api/products")["results"])

    def product(self, sku: str) -> Answer:
        return self._call("GET", f"/api/products/{sku}")

    def available(self, sku: str) -> int:
        """Pieces that can be ordered now."""
        return int(self.product(sku)["available"])

    def place_order(self, lines: dict[str, int], token: str) -> Answer:
        """Order so many of each SKU. Tried again under the same key if the answer is lost, so it is placed once."""
        body = {
            "lines": _lines(lines),
            "shipping": ADDRESS,
            "payment_token": token,
        }
        key = str(uuid4())
        for _ in range(TRIES - 1):
            try:
                return self._call("POST", "/api/orders", body, key)
            except requests.RequestException:
                continue
        return self._call("POST", "/api/orders", body, key)

    def pay(self, order_id: int, gateway: str, token: str = "") -> Answer:
        """Ask for a payment through this gateway; a job makes it there."""
        token_given = {"payment_token": token} if token else {}
        return self._call("POST", f"/api/orders/{order_id}/pay", {"gateway": gateway} | token_given)

    def payments(self, order_id: int) -> list[Answer]:
        """The order's payments, the newest first."""
        return list(self._call("GET", f"/api/orders/{order_id}/payments")["results"])

    def returns(self, order_id: int) -> list[Answer]:
        """What of the order was sent back or shall be, the newest first."""
        return list(self._get(f"/api/orders/{order_id}/returns"))

    def ask_return(self, order_id: int, lines: dict[str, int], reason: str) -> None:
        """Ask to send so many of each SKU back; asked again, it is the same return."""
        body = {"lines": _lines(lines), "reason": reason}
        self._call("POST", f"/api/orders/{order_id}/returns", body, key=f"return-{order_id}")

    def credit_notes(self, order_id: int) -> list[Answer]:
        """The order's credit notes that can be read, the oldest first."""
        return list(self._get(f"/api/orders/{order_id}/credit-notes"))

    def is_pdf(self, path: str) -> bool:
        """Whether the file at this link is one."""
        return self._request("GET", path).content.startswith(b"%PDF-")

    def order(self, order_id: int) -> Answer:
        """The order with its state and its jobs."""
        return self._call("GET", f"/api/orders/{order_id}")

    def _call(self, method: str, path: str, body: Answer | None = None, key: str = "") -> Answer:
        return dict(self._request(method, path, body, key).json())

    def _get(self, path: str) -> Any:
        return self._request("GET", path).json()

    def _request(self, method: str, path: str, body: Answer | None = None, key: str = "") -> requests.Response:
        """Raises ShopRefused unless it succeeds, requests.RequestException if there is no answer."""
        headers = {"Idempotency-Key": key} if key else {}
        response = self.session.request(method, self.url + path, json=body, headers=headers, timeout=TIMEOUT)
        if not response.ok:
            raise ShopRefused(f"{method} {path} answered {response.status_code}: {response.text[:500]}")
        return response


def _lines(pieces: dict[str, int]) -> list[Answer]:
    return [{"sku": sku, "quantity": quantity} for sku, quantity in pieces.items()]


def book_of(gateway_url: str) -> list[Answer]:
    """The gateway's own book, entry by entry."""
    with requests.Session() as session:
        session.trust_env = False
        response = session.get(f"{gateway_url}/book", timeout=TIMEOUT)
        response.raise_for_status()
        return list(response.json()["entries"])
