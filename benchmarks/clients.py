"""Shoppers over HTTP; what happened is printed as JSON. Each has signed up before, with a token in BENCH_TOKENS.

    sign-up URL COUNT               new customers; their tokens
    order URL ORDERS PAUSE SKU,...  all customers together post so many orders, each with so many seconds in between

A closed loop of bare connections that stay open, in a process of its own. Each thread is a customer of its own and
posts an order as soon as it has the answer to the last one. Standard library only, so that it costs little beside the
shop that it measures.
"""

import http.client
import json
import os
import random
import secrets
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

ADDRESS = {
    "name": "Asha Rao",
    "line": "14, 2nd Cross, Malleshwaram",
    "city": "Bengaluru",
    "state": "Karnataka",
    "pincode": "560003",
    "phone": "+91 9880012345",
}
TIMEOUT = 30.0


class Shopper(threading.Thread):
    """Orders until `todo` is empty or the goods are sold out."""

    def __init__(self, url: str, token: str, skus: list[str], todo: list[int], pause: float) -> None:
        super().__init__(daemon=True)
        self.skus, self.todo, self.pause = skus, todo, pause
        self.door = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
        self.headers = {"Content-Type": "application/json", "X-Session-Token": token}
        self.orders: list[tuple[int, float, float]] = []  # id, when asked, milliseconds until the answer
        self.sold_out = 0
        self.unexpected: list[str] = []

    def run(self) -> None:
        try:
            while self._order():
                time.sleep(self.pause)
        except Exception as error:
            self.unexpected.append(f"{type(error).__name__}: {error}")
        finally:
            self.door.close()

    def _order(self) -> bool:
        """Whether there may be another."""
        try:
            self.todo.pop()
        except IndexError:
            return False
        lines = [{"sku": sku, "quantity": 1} for sku in random.sample(self.skus, min(len(self.skus), 2))]
        self.headers["Idempotency-Key"] = secrets.token_hex(12)
        asked, began = time.time(), time.perf_counter()
        status, answer = self._post(
            "/api/orders", {"lines": lines, "shipping": ADDRESS, "payment_token": "tok_success"}
        )
        took = (time.perf_counter() - began) * 1000
        if status == 201:
            self.orders.append((answer["id"], asked, took))
        elif answer.get("code") == "out_of_stock":
            self.sold_out += 1
            return False
        else:
            self.unexpected.append(f"{status} {answer}")
        return True

    def _post(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        return post(self.door, path, body, self.headers)


def post(door: http.client.HTTPConnection, path: str, body: Any, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and answer."""
    door.request("POST", path, json.dumps(body), headers)
    answer = door.getresponse()
    return answer.status, json.loads(answer.read())


def sign_up(url: str, count: str) -> list[str]:
    """The session tokens of so many new customers."""
    door, tokens = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT), []
    for _ in range(int(count)):
        account = {"email": f"{secrets.token_hex(8)}@bharatmart.example", "password": secrets.token_urlsafe(12)}
        account |= {"first_name": "Asha"}
        status, answer = post(door, "/api/auth/app/v1/auth/signup", account, {"Content-Type": "application/json"})
        if status != 200:
            raise SystemExit(f"sign-up: {status} {answer}")
        tokens.append(answer["meta"]["session_token"])
    return tokens


def order(url: str, count: str, pause: str, skus: str) -> dict[str, object]:
    """Let all customers order at once."""
    todo, tokens = list(range(int(count))), json.loads(os.environ["BENCH_TOKENS"])
    shoppers = [Shopper(url, token, skus.split(","), todo, float(pause)) for token in tokens]
    began = time.perf_counter()
    for shopper in shoppers:
        shopper.start()
    for shopper in shoppers:
        shopper.join()
    return {
        "seconds": time.perf_counter() - began,
        "orders": [placed for shopper in shoppers for placed in shopper.orders],
        "sold_out": sum(shopper.sold_out for shopper in shoppers),
        "unexpected": [text for shopper in shoppers for text in shopper.unexpected][:5],
    }


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    verbs: dict[str, Callable[..., object]] = {"sign-up": sign_up, "order": order}
    print(json.dumps(verbs[verb](*words)))
