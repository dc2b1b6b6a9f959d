"""The HTTP door of both providers: `/stripe/v1/…`, `/razorpay/v1/…`, and `/control/…` for whoever directs the play."""

import json
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from . import stripe
from .answers import Refusal, Reply, Thing
from .control import control
from .faults import Faults
from .hooks import Outbox
from .razorpay import RazorpayAccount
from .stripe import StripeAccount

KEY_HEADERS = {"stripe": "Idempotency-Key", "razorpay": "X-Refund-Idempotency"}
ERROR = Reply(500, {"error": {"type": "api_error", "code": "SERVER_ERROR", "description": "Try later."}})
FAULTS = {
    "500": ERROR,
    "429": Reply(429, {"error": {"type": "invalid_request_error", "code": "rate_limit", "description": "Slow down."}}),
    "garbage": Reply(200, {}, raw=b"<html>A proxy between us</html>"),
}


class Providers(ThreadingHTTPServer):
    """Both accounts behind one port, on a thread of its own."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, port: int = 0, stripe_secret: str = "whsec_fake", razorpay_secret: str = "razor_fake") -> None:
        super().__init__(("127.0.0.1", port), Door)
        self.faults = Faults()
        self.lock = threading.RLock()
        self.stripe = StripeAccount(Outbox("stripe", stripe_secret))
        self.razorpay = RazorpayAccount(Outbox("razorpay", razorpay_secret))
        self.over = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> "Providers":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()

    def account(self, provider: str) -> StripeAccount | RazorpayAccount:
        return self.stripe if provider == "stripe" else self.razorpay

    def act(self, provider: str, method: str, path: list[str], body: Thing, key: str) -> Reply:
        """Once per key, one request after the other."""
        account = self.account(provider)
        with self.lock:
            reply, same = account.keys.find(key, "/".join(path), body) if key else (None, True)
            if reply:
                return reply if same else _conflict(provider)
            try:
                made = account.handle(method, path, body)
            except Refusal as refusal:
                made = refusal.reply
            made = Reply(made.status, json.loads(json.dumps(made.body)))
            if self.faults.strike("after", method, key, "/".join(path), kinds=("500",)):
                made = ERROR
            if key and method == "POST" and (made.status < 400 or made.status >= 402):
                account.keys.keep(key, "/".join(path), body, made)
            return made


class Door(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: Providers
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        url = urlsplit(self.path)
        provider, *path = [unquote(part) for part in url.path.split("/") if part]
        sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if provider == "control":
            return self._answer(control(self.server, path, json.loads(sent or b"{}")))
        body = json.loads(sent) if provider == "razorpay" and sent else _form(url.query or sent.decode())
        key, held = self.headers.get(KEY_HEADERS[provider], ""), self.server.faults.held
        fault = self.server.faults.strike("before", method, key, "/".join(path))
        if fault and not self._misbehave(fault, provider, key, path, body):
            return
        reply = self.server.act(provider, method, path[1:], body, key)
        later = self.server.faults.strike("after", method, key, "/".join(path))
        if fault == "held":
            held.acted.set()
        if self._misbehave(later, provider, key, path, body):
            self._answer(reply)

    def _misbehave(self, fault: str, provider: str, key: str, path: list[str], body: Thing) -> bool:
        """Play the fault; True if the request goes on after it."""
        if fault == "slow":
            time.sleep(self.server.faults.slow)
        elif fault == "held":
            self.server.faults.held.wait()
        elif fault == "silence":
            self._hold()
        elif fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        elif fault in FAULTS:
            if fault == "500" and key:
                self.server.account(provider).keys.keep(key, "/".join(path[1:]), body, ERROR)
            self._answer(FAULTS[fault])
        return fault in ("", "slow", "held")

    def _hold(self) -> None:
        self.close_connection = True
        self.server.over.wait(self.server.faults.hold)

    def _answer(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def _conflict(provider: str) -> Reply:
    told = "Keys for idempotent requests can only be used with the same parameters they were first used with."
    if provider == "stripe":
        return stripe.error(400, "idempotency_error", told)
    return Reply(400, {"error": {"code": "BAD_REQUEST_ERROR", "description": f"idempotency: {told}"}})


def _form(text: str) -> Thing:
    """Stripe's form encoding, `metadata[order]=1`, one level deep."""
    body: Thing = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        outer, _, inner = name.partition("[")
        if inner:
            body.setdefault(outer, {})[inner.rstrip("]").replace("][", ".")] = value
        else:
            body[outer] = value
    return body
