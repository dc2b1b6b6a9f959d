"""Webhooks: what happened lies in an outbox, from which it is signed and delivered in any order, twice, or never."""

import hashlib
import hmac
import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

Thing = dict[str, Any]


@dataclass
class Delivery:
    """One webhook: its name, bytes, and the headers that prove it."""

    name: str
    body: bytes
    headers: dict[str, str]


@dataclass
class Post:
    """How webhooks travel: which shares of them are lost, come twice, or late (and so after younger ones)."""

    dropped: float = 0.0
    twice: float = 0.0
    late: float = 0.0
    latest: float = 3.0
    chance: random.Random = field(default_factory=random.Random)

    def delays(self) -> list[float]:
        """After how many seconds each copy arrives; none if it is lost."""
        if self.chance.random() < self.dropped:
            return []
        copies = 2 if self.chance.random() < self.twice else 1
        return [self.chance.uniform(0, self.latest) * (self.chance.random() < self.late) for _ in range(copies)]


@dataclass
class Outbox:
    """A provider's events, oldest first. `secret` signs them; with an `address` each is delivered as `post` does it."""

    provider: str
    secret: str
    address: str = ""
    post: Post = field(default_factory=Post)
    events: list[Thing] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    undelivered: list[Delivery] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, event: Thing) -> None:
        copy = json.loads(json.dumps(event))
        with self.lock:
            self.events.append(copy)
            delays = self.post.delays() if self.address else []
        for delay in delays:
            threading.Timer(delay, self._deliver, args=(self.signed(copy),)).start()

    def signed(self, event: Thing, *, secret: str = "", at: float | None = None, name: str = "") -> Delivery:
        """The event as it is sent; the same event has the same name each time."""
        body = json.dumps(event).encode()
        secret = secret or self.secret
        if self.provider == "stripe":
            seconds = str(int(time.time() if at is None else at))
            proof = f"t={seconds},v1={_hmac(seconds.encode() + b'.' + body, secret)}"
            return Delivery(event["id"], body, {"Stripe-Signature": proof})
        with self.lock:
            name = name or self.names.setdefault(id(event), f"evt_{uuid4().hex}")
        return Delivery(name, body, {"X-Razorpay-Signature": _hmac(body, secret), "X-Razorpay-Event-Id": name})

    def redeliver(self) -> int:
        """Try again what was not taken with a 2xx; how much is left."""
        with self.lock:
            waiting, self.undelivered = self.undelivered, []
        for delivery in waiting:
            self._deliver(delivery)
        return len(self.undelivered)

    def _deliver(self, delivery: Delivery) -> None:
        if not 200 <= post(self.address, delivery) < 300:
            with self.lock:
                self.undelivered.append(delivery)


def post(address: str, delivery: Delivery) -> int:
    """Send it; the status, 0 if there was none."""
    where = urlsplit(address)
    connection = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=5)
    try:
        headers = {"Content-Type": "application/json", **delivery.headers}
        connection.request("POST", where.path, delivery.body, headers)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _hmac(message: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
