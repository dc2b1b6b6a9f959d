"""The end of its socket in a child process: claims come in, what the running job says goes out.

The parent sends lines: a claim, then perhaps the wish that its run should stop, and after the verdict the next
claim. The link has a thread of its own, which writes at most every QUEUE_REPORT seconds and never more often than
SHORTEST; the job waits for none of it.
"""

import json
import logging
import select
import socket
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from django.conf import settings

from ...lifecycle.execution import Running, Said

log = logging.getLogger(__name__)

SHORTEST = 0.25
CHUNK = 65536


class Link:
    """Brings claims, and carries on what a running job says. A broken socket ends it, and not the job."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.claims: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.running: Running | None = None
        self.stop_wanted = ""
        self.told = Said()
        self.lock = threading.Lock()
        threading.Thread(target=self._run, name="link", daemon=True).start()

    def next_claim(self, seconds: float) -> dict[str, Any] | None:
        """The values of the next claim; None if none comes within so many seconds, or will."""
        try:
            return self.claims.get(timeout=seconds)
        except Empty:
            return None

    def begin(self, running: Running) -> None:
        """Tell the parent that this run begins, and from now on what its job says."""
        with self.lock:
            self.running, self.told = running, Said()
            if self.stop_wanted == running.claim.token.hex:
                running.ask_to_stop()
            write_line(self.connection, {"began": True})

    def end(self) -> None:
        """Tell what is left to tell; until the next run the socket belongs to the caller."""
        with self.lock, suppress(OSError):
            self._tell()
            self.running = None

    def _run(self) -> None:
        rest = b""
        try:
            while True:
                if self._something_comes(max(SHORTEST, settings.QUEUE_REPORT)):
                    received = self.connection.recv(CHUNK)
                    if not received:
                        break
                    *lines, rest = (rest + received).split(b"\n")
                    for line in lines:
                        self._hear(json.loads(line))
                else:
                    with self.lock:
                        self._tell()
        except OSError as error:
            log.debug("the parent hears nothing more: %s", error)
        self.claims.put(None)

    def _something_comes(self, seconds: float) -> bool:
        return bool(select.select([self.connection], [], [], seconds)[0])

    def _hear(self, message: dict[str, Any]) -> None:
        if "claim" in message:
            self.claims.put(message["claim"])
        else:
            with self.lock:
                self.stop_wanted = message["stop"]
                if self.running is not None and self.running.claim.token.hex == self.stop_wanted:
                    self.running.ask_to_stop()

    def _tell(self) -> None:
        said = self.running.said() if self.running is not None else self.told
        if said != self.told:
            write_line(self.connection, {"said": said})
            self.told = said


def write_line(connection: socket.socket, values: dict[str, Any]) -> None:
    connection.sendall(json.dumps(values).encode() + b"\n")
