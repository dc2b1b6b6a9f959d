"""HTTP requests to the webhook door, byte by byte, as no well-behaved client would send them."""

import json
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .hooks import an_event, outbox, signed

STRANGER, LARGE = "secret_of_another_account", 1_048_576


@dataclass
class Request:
    """`headers` may name one twice; `length` lies about the body's if it is given."""

    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)
    length: int | None = None

    def sent(self, provider: str) -> bytes:
        given = {name.lower() for name, _ in self.headers}
        usual = [("Host", "127.0.0.1"), ("Connection", "close"), ("Content-Type", "application/json")]
        length = str(len(self.body) if self.length is None else self.length)
        if "transfer-encoding" not in given:
            usual.append(("Content-Length", length))
        headers = [*(pair for pair in usual if pair[0].lower() not in given), *self.headers]
        lines = [f"POST /api/webhooks/{provider} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


def send(port: int, request: bytes) -> int:
    """The status of the answer; 0 if the connection was closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        with suppress(OSError):  # refused before all was sent: the answer is there all the same
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").readline()
    return int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0


def right(provider: str, event: Any, *more: tuple[str, str]) -> Request:
    """Signed as the provider would sign these very bytes, or this event."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return Request(body, [*signed(provider, body).items(), *more])


def forged(provider: str, secret: str = STRANGER, age: float = 0) -> Request:
    delivery = outbox(provider, secret).signed(an_event(provider), at=time.time() - age)
    return Request(delivery.body, list(delivery.headers.items()))


def named(provider: str, name: str) -> dict[str, Any]:
    """An event whose ids are this."""
    if provider == "stripe":
        return an_event(provider, id=name, data={"object": {"object": "payment_intent", "id": name}})
    return an_event(provider, event=name, payload={"order": {"entity": {"id": name, "receipt": name}}})


def inside(provider: str, name: str, **facts: Any) -> dict[str, Any]:
    """An event that tells these facts about the intent of that name."""
    thing = {"object": "payment_intent", "id": name, "status": "succeeded", **facts}
    if provider == "stripe":
        return an_event(provider, data={"object": thing})
    return an_event(provider, payload={"payment": {"entity": {**facts, "order_id": name, "status": "captured"}}})


def refused(provider: str) -> dict[str, tuple[Request, tuple[int, ...]]]:
    """What is not let in, and how it may be answered."""
    event = an_event(provider)
    good = json.dumps(event).encode()
    header = next(iter(signed(provider, good)))
    deep = b'{"id": "evt_1", "type": "x", "event": "x", "data": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    huge = b'{"id": "evt_1", "type": "x", "event": "x", "amount": ' + b"9" * 5_000 + b"}"
    many = "a" * 70_000
    return {
        "no signature": (Request(good), (400,)),
        "a wrong signature": (Request(good, [(header, "0" * 64)]), (400,)),
        "another account's secret": (forged(provider), (400,)),
        "signature of other bytes": (Request(good + b"\n", list(signed(provider, good).items())), (400,)),
        "signature twice": (right(provider, event, (header, signed(provider, good)[header])), (400,)),
        "signature beside a wrong one": (right(provider, event, (header, f"t=1,v1={'0' * 64}")), (400,)),
        "signature that is not ASCII": (Request(good, [(header, "t=1,v1=\xff\xfe")]), (400,)),
        "signature with NUL": (Request(good, [(header, "t=1\x00,v1=a")]), (400,)),
        "header beyond all measure": (Request(good, [(header, many)]), (400, 431)),
        "1 MB of garbage": (Request(b"\x00\xff" * (LARGE // 2), [(header, "x")]), (413,)),
        "1 MB of garbage, signed": (right(provider, b"\x00\xff" * (LARGE // 2)), (413,)),
        "16 MB": (Request(b"x" * (16 * LARGE), [(header, "x")]), (413, 0)),  # 0: hung up on
        "nothing": (right(provider, b""), (400,)),
        "less than was announced": (Request(good[:-9], list(signed(provider, good).items()), len(good)), (400,)),
        "chunks": (right(provider, b"5\r\nhello\r\n0\r\n\r\n", ("Transfer-Encoding", "chunked")), (400,)),
        "a length that is none": (right(provider, good, ("Content-Length", "-1")), (400,)),
        "invalid UTF-8": (right(provider, b'{"id": "\xc3\x28"}'), (400,)),
        "UTF-16": (right(provider, json.dumps({"id": 1}).encode("utf-16")), (400,)),
        "a list": (right(provider, [event]), (400,)),
        "a number": (right(provider, 7), (400,)),
        "a text": (right(provider, "evt_1"), (400,)),
        "not a number": (right(provider, b"NaN"), (400,)),
        "nested deeply": (right(provider, deep), (400,)),
        "a number of 5,000 digits": (right(provider, huge), (400,)),
        "no id and no kind": (right(provider, {}), (400,)),
        "ids that are numbers": (right(provider, {"id": 10**30, "type": 1, "event": 1}), (400,)),
        "ids with NUL": (right(provider, named(provider, "evt\x00_1")), (400,)),
        "ids with half a character": (right(provider, named(provider, "evt_\ud800")), (400,)),
        "ids without an end": (right(provider, named(provider, "e" * 256)), (400,)),
    }


def let_in(provider: str, intent: str) -> dict[str, Request]:
    """What is signed, and so kept and answered with 200, however strange; `intent` is one that waits."""
    event = an_event(provider)
    odd = {"amount": -1, "amount_received": -(10**25), "currency": "XTS", "amount_refunded": 10**25}
    kinds = {"type": "customer.created", "event": "customer.created"}
    multipart = "multipart/form-data; boundary=x"
    return {
        "an unknown event": right(provider, an_event(provider, **kinds)),
        "an unknown order": right(provider, event),
        "amounts and a currency of another world": right(provider, inside(provider, intent, **odd)),
        "what never happened": right(provider, inside(provider, intent, amount=49_900, amount_received=49_900)),
        "a list where an object should be": right(provider, an_event(provider, data=[1], payload=[1])),
        "null inside": right(provider, an_event(provider, data=None, payload=None)),
        "names with NUL inside": right(provider, inside(provider, "pi_\x00", metadata={"payment": "\x00"})),
        "names that are numbers": right(provider, inside(provider, "pi_1", metadata=7, notes=[1])),
        "a form's content type": right(provider, event, ("Content-Type", "application/x-www-form-urlencoded")),
        "a broken form": right(provider, event, ("Content-Type", multipart)),
        "an unheard-of charset": right(provider, event, ("Content-Type", "application/json; charset=utf-99")),
        "no content type": right(provider, event, ("Content-Type", "")),
        "the same name twice": right(provider, b'{"id": "evt_0",' + json.dumps(event).encode()[1:]),
    }
