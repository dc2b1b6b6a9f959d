"""The parent's side of the fork server: run a claimed job in a child process of its own."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.conf import settings

from . import settings as queue_settings
from .context import running_of
from .forkserver import dump_claim, load_verdict
from .ledger import Claim, Verdict
from .runner import given_back, judge_crash, judge_timeout
from .running import Said

log = logging.getLogger(__name__)

LONGEST_START = 60.0
"""Seconds that a child may take to begin; the fork server itself may have to start first."""

BOOT = "import django; django.setup(); from queues.forkserver import main; main()"


class Children:
    """Starts the fork server when the first job needs it, and again if it died."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.server: subprocess.Popen[bytes] | None = None
        self.control: socket.socket | None = None
        self.stopping = False

    def run(self, claim: Claim) -> Verdict:
        """Run the job in a child and wait for its verdict; a child that crashes gives the crash's verdict."""
        ours, theirs = socket.socketpair()
        with ours:
            try:
                self._hand_over(theirs)
                return self._await(ours, claim)
            except OSError as error:
                return given_back(f"the fork server was gone: {error}", wait=1.0)

    def _hand_over(self, theirs: socket.socket) -> None:
        with self.lock, theirs:
            if self.server is None or self.server.poll() is not None:
                self._start()
            assert self.control is not None
            socket.send_fds(self.control, [b"j"], [theirs.fileno()])

    def _start(self) -> None:
        if self.control is not None:
            self.control.close()
        self.control, remote = socket.socketpair()
        with remote:
            self.server = subprocess.Popen(
                [sys.executable, "-c", BOOT, str(remote.fileno())],
                pass_fds=[remote.fileno()],
                cwd=settings.BASE_DIR,
                process_group=0,  # Ctrl-C in a terminal is for the worker alone
            )

    def _await(self, ours: socket.socket, claim: Claim) -> Verdict:
        """The claim is sent, and its time begins, once there is a child."""
        told: dict[str, Any] = {}
        messages = Messages(ours, time.monotonic() + LONGEST_START)
        try:
            for message in messages:
                told |= message
                if "pid" in message:
                    messages.deadline = time.monotonic() + queue_settings.get(claim.queue).timeout
                    ours.sendall(dump_claim(claim))
                    running_of(claim).when_asked_to_stop(partial(_pass_on_wish, ours))
                if "said" in message:
                    running_of(claim).repeat(Said(*message["said"]))
                if "exit" in message:
                    break
        except TimeoutError:
            return self._time_out(claim, told)
        if "verdict" in told:
            return load_verdict(told["verdict"])
        if "exit" in told and not self.stopping:
            return judge_crash(claim, _how(told["exit"]))
        return given_back("its process fell with the worker")

    def _time_out(self, claim: Claim, told: dict[str, Any]) -> Verdict:
        if "verdict" in told:
            return load_verdict(told["verdict"])
        if "pid" not in told:
            return given_back(f"no child process began within {LONGEST_START:g} s", wait=1.0)
        if "exit" not in told:
            os.kill(told["pid"], signal.SIGKILL)
        return judge_timeout(claim)

    def stop(self) -> None:
        """End the fork server; children that still run are killed."""
        with self.lock:
            self.stopping = True
            if self.control is not None:
                self.control.close()
            if self.server is not None:
                self.server.wait()


class Messages:
    """What the child and the fork server write, line by line; TimeoutError at the (monotonic) deadline."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.connection = connection
        self.deadline = deadline

    def __iter__(self) -> Iterator[dict[str, Any]]:
        rest = b""
        while True:
            self.connection.settimeout(max(0.001, self.deadline - time.monotonic()))
            received = self.connection.recv(65536)
            if not received:
                return
            *lines, rest = (rest + received).split(b"\n")
            yield from map(json.loads, lines)


def _pass_on_wish(ours: socket.socket) -> None:
    try:
        ours.sendall(b"s")
    except OSError as error:
        log.debug("a child could not be told to stop: %s", error)


def _how(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code} and no verdict"
