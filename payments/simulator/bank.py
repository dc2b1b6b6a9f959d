"""The gateway's rules: what a request does, once per idempotency key, and what is answered for ever after."""

import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from .book import Book, Entry

Body = dict[str, Any]
TOKENS = ("tok_success", "tok_decline", "tok_timeout_before", "tok_timeout_after", "tok_slow", "tok_error_after")
ANSWERS = {
    "captured": HTTPStatus.OK,
    "authorized": HTTPStatus.OK,
    "declined": HTTPStatus.PAYMENT_REQUIRED,
    "cancelled": HTTPStatus.PAYMENT_REQUIRED,
}


@dataclass(frozen=True)
class Answer:
    """What the client is told; `fresh` says whether this very request had an effect."""

    status: HTTPStatus
    body: Body
    fresh: bool = False


def refusal(status: HTTPStatus, code: str, message: str) -> Answer:
    """An answer without an effect."""
    return Answer(status, {"error": {"code": code, "message": message}})


class Bank:
    """Charges and refunds by idempotency key, rebuilt from the book at the start. Thread-safe."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._lock = threading.Lock()
        self._charges: dict[str, Entry] = {}  # by idempotency key
        self._refunds: dict[str, Entry] = {}  # by idempotency key
        self._keys: dict[str, str] = {}  # reference of a charge -> idempotency key
        self._refunded: dict[str, int] = {}  # reference of a charge -> paise given back
        for entry in book.entries:
            self._remember(entry)

    def charge(self, key: str, amount_paise: int, currency: str, token: str, hold: bool = False) -> Answer:
        """Take the money or, with `hold`, authorize it; once per key, with other parameters it is a conflict."""
        asked = {"amount_paise": amount_paise, "currency": currency, "token": token}
        with self._lock:
            known = self._charges.get(key)
            if known is not None and known["effect"] != "cancel" and not asked.items() <= known.items():
                return _conflict()
            if known is not None:
                return self._first_answer(known)
            status, reason = _decide(token)
            status = "authorized" if hold and status == "captured" else status
            answer = HTTPStatus.INTERNAL_SERVER_ERROR if token == "tok_error_after" else ANSWERS[status]
            entry = self._enter("charge", "ch", key, status=status, reason=reason, answer=answer, **asked)
            return self._first_answer(entry, fresh=True)

    def find(self, name: str) -> Answer:
        """The charge known by this idempotency key or reference."""
        with self._lock:
            entry = self._find(name)
            return Answer(HTTPStatus.OK, self._describe(entry)) if entry else _not_found("charge", name)

    def capture(self, name: str) -> Answer:
        """Take what was authorized, once; whatever else became of the charge stays so."""
        with self._lock:
            entry = self._find(name)
            if entry is None:
                return _not_found("charge", name)
            fresh = entry["status"] == "authorized"
            if fresh:
                entry = self._enter_again(entry, "capture", status="captured", answer=HTTPStatus.OK)
            return Answer(HTTPStatus.OK, self._describe(entry), fresh)

    def cancel(self, name: str) -> Answer:
        """Make sure that no money is taken under this key from now on, and tell what became of it.

        A key that was never seen is voided: a charge that arrives late under it is refused.
        """
        with self._lock:
            entry = self._find(name)
            fresh = entry is None or entry["status"] == "authorized"
            facts = {"amount_paise": 0, "status": "cancelled", "reason": "The payment was cancelled."}
            if entry is None:
                entry = self._enter("cancel", "ch", name, currency="", answer=ANSWERS["cancelled"], **facts)
            elif fresh:
                entry = self._enter_again(entry, "cancel", answer=ANSWERS["cancelled"], **facts)
            return Answer(HTTPStatus.OK, self._describe(entry), fresh)

    def refund(self, name: str, key: str, amount_paise: int) -> Answer:
        """Give money back, once per key, never more than was captured."""
        with self._lock:
            charge = self._find(name)
            if charge is None:
                return _not_found("charge", name)
            asked = {"charge": charge["reference"], "amount_paise": amount_paise}
            known = self._refunds.get(key)
            if known is not None:
                return Answer(HTTPStatus.OK, _public(known)) if asked.items() <= known.items() else _conflict()
            if amount_paise > self._refundable(charge):
                return refusal(HTTPStatus.PAYMENT_REQUIRED, "refund_exceeds_capture", "More than is left.")
            entry = self._enter("refund", "re", key, status="succeeded", answer=HTTPStatus.OK, **asked)
            return Answer(HTTPStatus.OK, _public(entry), fresh=True)

    def find_refund(self, name: str) -> Answer:
        """The refund known by this idempotency key or reference."""
        with self._lock:
            by_reference = (entry for entry in self._refunds.values() if entry["reference"] == name)
            known = self._refunds.get(name) or next(by_reference, None)
            return Answer(HTTPStatus.OK, _public(known)) if known else _not_found("refund", name)

    def pages(self) -> list[Entry]:
        """A copy of the book."""
        with self._lock:
            return list(self._book.entries)

    def close(self) -> None:
        """Let a write that is under way finish, and allow no other."""
        self._lock.acquire()
        self._book.close()

    def _enter(self, effect: str, prefix: str, key: str, **facts: Any) -> Entry:
        entry: Entry = {"effect": effect, "reference": f"{prefix}_{uuid4().hex}", "key": key, "at": time.time()}
        entry |= facts
        self._book.append(entry)
        self._remember(entry)
        return entry

    def _enter_again(self, entry: Entry, effect: str, **facts: Any) -> Entry:
        """A later effect on a charge: the same reference and key in a new line of the book."""
        later: Entry = entry | {"effect": effect, "at": time.time()} | facts
        self._book.append(later)
        self._remember(later)
        return later

    def _remember(self, entry: Entry) -> None:
        if entry["effect"] == "refund":
            self._refunds[entry["key"]] = entry
            self._refunded[entry["charge"]] = self._refunded.get(entry["charge"], 0) + entry["amount_paise"]
        else:
            self._charges[entry["key"]] = entry
            self._keys[entry["reference"]] = entry["key"]

    def _find(self, name: str) -> Entry | None:
        return self._charges.get(self._keys.get(name, name))

    def _first_answer(self, entry: Entry, fresh: bool = False) -> Answer:
        if entry["answer"] == HTTPStatus.INTERNAL_SERVER_ERROR:
            return Answer(
                HTTPStatus.INTERNAL_SERVER_ERROR, {"error": {"code": "internal", "message": "Try later."}}, fresh
            )
        return Answer(HTTPStatus(entry["answer"]), self._describe(entry), fresh)

    def _describe(self, charge: Entry) -> Body:
        return _public(charge) | {"refunded_paise": self._refunded.get(charge["reference"], 0)}

    def _refundable(self, charge: Entry) -> int:
        captured = charge["amount_paise"] if charge["status"] == "captured" else 0
        return int(captured) - self._refunded.get(charge["reference"], 0)


def _decide(token: str) -> tuple[str, str]:
    """Status and reason of a charge with this token."""
    if token == "tok_decline":
        return "declined", "The card was declined."
    return ("captured", "") if token in TOKENS else ("declined", "The payment token is not valid.")


def _public(entry: Entry) -> Body:
    return {name: value for name, value in entry.items() if name not in ("answer", "token")}


def _conflict() -> Answer:
    return refusal(HTTPStatus.CONFLICT, "idempotency_key_reused", "This key was used with other parameters.")


def _not_found(what: str, name: str) -> Answer:
    return refusal(HTTPStatus.NOT_FOUND, "not_found", f"No {what} is known as {name!r}.")
