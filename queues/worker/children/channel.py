"""What a child process and its parent send each other over their socket, as lines of JSON.

The parent sends a claim, then perhaps the request to stop its run, and after the verdict the next claim. The child
sends that a run begins, what its job reports, and the verdict. The child's end has a thread of its own, which writes at
most every QUEUE_REPORT seconds and never more often than SHORTEST; the job waits for none of it.
"""

import json
import logging
import select
import socket
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any
from uuid import UUID

from django.conf import settings

from ...lifecycle.claim import Claim
from ...lifecycle.execution import NOTHING_REPORTED, Execution
from ...lifecycle.verdict import Verdict
from ...states import JobState, Outcome

log = logging.getLogger(__name__)

SHORTEST = 0.25
CHUNK = 65536


def dump_claim(claim: Claim) -> dict[str, Any]:
    return {**claim._asdict(), "token": claim.token.hex}


def load_claim(values: dict[str, Any]) -> Claim:
    return Claim(**{**values, "token": UUID(values["token"])})


def load_verdict(values: dict[str, Any]) -> Verdict:
    return Verdict(**{**values, "state": JobState(values["state"]), "outcome": Outcome(values["outcome"])})


class Channel:
    """The child's end: receives claims, sends what a running job reports. A broken socket ends it, and not the job."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.claims: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.execution: Execution | None = None
        self.stop_requested = ""
        self.sent = NOTHING_REPORTED
        self.lock = threading.Lock()
        threading.Thread(target=self._run, name="channel", daemon=True).start()

    def next_claim(self, seconds: float) -> dict[str, Any] | None:
        """The values of the next claim; None if none comes within so many seconds, or ever will."""
        try:
            return self.claims.get(timeout=seconds)
        except Empty:
            return None

    def begin(self, execution: Execution) -> None:
        """Send that this run begins, and from now on what its job reports."""
        with self.lock:
            self.execution, self.sent = execution, NOTHING_REPORTED
            if self.stop_requested == execution.claim.token.hex:
                execution.ask_to_stop()
            write_line(self.connection, {"began": True})

    def end(self) -> None:
        """Send what is not sent yet; until the next run the socket belongs to the caller."""
        with self.lock, suppress(OSError):
            self._send_report()
            self.execution = None

    def _run(self) -> None:
        rest = b""
        try:
            while True:
                if self._is_readable(max(SHORTEST, settings.QUEUE_REPORT)):
                    received = self.connection.recv(CHUNK)
                    if not received:
                        break
                    *lines, rest = (rest + received).split(b"\n")
                    for line in lines:
                        self._handle(json.loads(line))
                else:
                    with self.lock:
                        self._send_report()
        except OSError as error:
            log.debug("the parent reads nothing more: %s", error)
        self.claims.put(None)

    def _is_readable(self, seconds: float) -> bool:
        return bool(select.select([self.connection], [], [], seconds)[0])

    def _handle(self, message: dict[str, Any]) -> None:
        if "claim" in message:
            self.claims.put(message["claim"])
        else:
            with self.lock:
                self.stop_requested = message["stop"]
                if self.execution is not None and self.execution.claim.token.hex == self.stop_requested:
                    self.execution.ask_to_stop()

    def _send_report(self) -> None:
        report = self.execution.report() if self.execution is not None else self.sent
        if report != self.sent:
            write_line(self.connection, {"report": report})
            self.sent = report


def write_line(connection: socket.socket, values: dict[str, Any]) -> None:
    connection.sendall(json.dumps(values).encode() + b"\n")
