"""The end of a job's socket in its child process: tells the parent what the job says, and hears the wish to stop.

The parent sends the claim as a line, and later perhaps one more byte: stop. The link has a thread of its own,
which writes at most every QUEUE_REPORT seconds and never more often than SHORTEST; the job waits for none of it.
"""

import json
import logging
import select
import socket
import threading
from contextlib import suppress
from typing import Any

from django.conf import settings

from .running import Running, Said

log = logging.getLogger(__name__)

SHORTEST = 0.25
CHUNK = 65536


class Link:
    """Carries on what a job in this process says, until `end`. A broken socket ends it, and not the job."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.rest = b""
        self.told = Said()
        self.ended = False
        self.lock = threading.Lock()
        self.running: Running

    def read_line(self) -> bytes:
        """The first line that the parent sent; what came after it is kept."""
        while b"\n" not in self.rest:
            received = self.connection.recv(CHUNK)
            if not received:
                raise EOFError("the parent went before it sent a job")
            self.rest += received
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def begin(self, running: Running) -> None:
        self.running = running
        if self.rest:
            running.ask_to_stop()
        threading.Thread(target=self._run, name="link", daemon=True).start()

    def end(self) -> None:
        """Tell what is left to tell; after that the socket belongs to the caller again."""
        with self.lock, suppress(OSError):
            self.ended = True
            self._tell()

    def _run(self) -> None:
        try:
            while self._listen(max(SHORTEST, settings.QUEUE_REPORT)):
                with self.lock:
                    if self.ended:
                        return
                    self._tell()
        except OSError as error:
            log.debug("the parent hears nothing more: %s", error)

    def _listen(self, seconds: float) -> bool:
        """Wait for the wish to stop; False once there is nothing more to hear."""
        if not select.select([self.connection], [], [], seconds)[0]:
            return True
        received = self.connection.recv(CHUNK)
        if received:
            self.running.ask_to_stop()
        return bool(received)

    def _tell(self) -> None:
        said = self.running.said()
        if said != self.told:
            write_line(self.connection, {"said": said})
            self.told = said


def write_line(connection: socket.socket, values: dict[str, Any]) -> None:
    connection.sendall(json.dumps(values).encode() + b"\n")
