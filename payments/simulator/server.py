"""The gateway's HTTP door: reads and checks requests, plays the faults of the tokens, writes answers."""

import json
import select
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from .bank import Answer, Bank, refusal

MAX_BODY = 64 * 1024
MAX_TEXT = 255
MAX_PAISE = 2**63 - 1
NO_SUCH_PAGE = refusal(HTTPStatus.NOT_FOUND, "no_such_page", "There is nothing at this address.")


class BadRequest(Exception):
    """The request cannot be understood."""


@dataclass
class Faults:
    """How the tokens misbehave. Times are in seconds."""

    slow: float = 2.0
    hold: float = 120.0
    lost: set[str] = field(default_factory=set)  # keys whose first request was lost on the way
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def loses(self, key: str, token: str) -> bool:
        """True for the first request under a key with tok_timeout_before: it never reaches the bank."""
        with self._lock:
            if token != "tok_timeout_before" or key in self.lost:
                return False
            self.lost.add(key)
            return True


class Gateway(ThreadingHTTPServer):
    """The server: one thread a connection, none of them waited for at the end."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], bank: Bank, faults: Faults) -> None:
        super().__init__(address, Door)
        self.bank = bank
        self.faults = faults


class Door(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: Gateway
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60

    def do_GET(self) -> None:
        match self._path():
            case ["health"]:
                self._answer(Answer(HTTPStatus.OK, {"status": "ok"}))
            case ["book"]:
                self._answer(Answer(HTTPStatus.OK, {"entries": self.server.bank.pages()}))
            case ["charges", name]:
                self._answer(self.server.bank.find(name))
            case ["refunds", name]:
                self._answer(self.server.bank.find_refund(name))
            case _:
                self._answer(NO_SUCH_PAGE)

    def do_POST(self) -> None:
        try:
            body = self._body()  # read in any case: what stays unread would be taken for the next request
            match self._path():
                case ["charges"]:
                    self._charge(body)
                case ["charges", name, "capture"]:
                    self._answer(self.server.bank.capture(name))
                case ["charges", name, "cancel"]:
                    self._answer(self.server.bank.cancel(name))
                case ["charges", name, "refunds"]:
                    self._answer(self.server.bank.refund(name, self._key(), _paise(body)))
                case _:
                    self._answer(NO_SUCH_PAGE)
        except BadRequest as error:
            self.close_connection = True
            self._answer(refusal(HTTPStatus.BAD_REQUEST, "bad_request", str(error)))

    def _charge(self, body: dict[str, Any]) -> None:
        key, token, faults = self._key(), _text(body, "token"), self.server.faults
        amount_paise, currency = _paise(body), _text(body, "currency")
        if faults.loses(key, token):
            return self._hold()
        if token == "tok_slow":
            time.sleep(faults.slow)
        answer = self.server.bank.charge(key, amount_paise, currency, token, hold=body.get("hold") is True)
        if token == "tok_timeout_after" and answer.fresh:
            return self._hold()
        self._answer(answer)

    def _hold(self) -> None:
        """Say nothing until the client has gone away, at most `faults.hold` seconds."""
        self.close_connection = True
        end = time.monotonic() + self.server.faults.hold
        while (left := end - time.monotonic()) > 0:
            readable, _, _ = select.select([self.connection], [], [], left)
            if readable and not self.connection.recv(1):
                return

    def _path(self) -> list[str]:
        return [unquote(part) for part in urlsplit(self.path).path.split("/") if part]

    def _key(self) -> str:
        key = self.headers.get("Idempotency-Key", "")
        if not 1 <= len(key) <= MAX_TEXT:
            raise BadRequest("The header Idempotency-Key must have 1 to 255 characters.")
        return key

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            raise BadRequest(f"The header Content-Length must be a number up to {MAX_BODY}.")
        try:
            body = json.loads(self.rfile.read(int(length)) or b"{}")
        except (ValueError, RecursionError):
            raise BadRequest("The body must be JSON.") from None
        if not isinstance(body, dict):
            raise BadRequest("The body must be a JSON object.")
        return body

    def _answer(self, answer: Answer) -> None:
        content = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def handle(self) -> None:
        """A client that goes away is no error of ours."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the book tells what happened."""


def _paise(body: dict[str, Any]) -> int:
    amount = body.get("amount_paise")
    if type(amount) is not int or not 0 < amount <= MAX_PAISE:
        raise BadRequest("amount_paise must be a whole number above 0 (and below 2^63).")
    return amount


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT:
        raise BadRequest(f"{name} must be a text of 1 to 255 characters.")
    return value
