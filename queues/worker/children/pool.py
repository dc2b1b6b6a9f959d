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
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.conf import settings

from ...execution.judge import judge_crash, judge_timeout
from ...lifecycle.execution import Execution, Report
from ...lifecycle.verdict import Verdict, released
from .channel import dump_claim, load_verdict, write_line

log = logging.getLogger(__name__)

LONGEST_START = 60.0
"""Seconds that a child may take to begin; the fork server itself may have to start first."""

BOOT = "import django; django.setup(); from queues.worker.children.forkserver import main; main()"


class Children:
    """Starts the fork server when the first job needs it, and again if it died; keeps children for further jobs."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.server: subprocess.Popen[bytes] | None = None
        self.control: socket.socket | None = None
        self.idle: list[Child] = []
        self.stopping = False

    def run(self, execution: Execution) -> Verdict:
        """Run the job in a child and wait for its verdict; a child that crashes gives the crash's verdict.

        A suspect gets a new child.
        """
        try:
            while True:
                with self._take(new=execution.claim.suspect) as child:
                    verdict = self._await(child, execution)
                    if verdict is not None:
                        return verdict
        except OSError as error:
            return released(f"the fork server was gone: {error}", wait=1.0)

    @contextmanager
    def _take(self, *, new: bool) -> Iterator["Child"]:
        """A child that waits for a job, or a new one; kept for the next job if it stays."""
        with self.lock:
            child = self.idle.pop() if self.idle and not new else None
        child = child or self._fork()
        try:
            yield child
        finally:
            with self.lock:
                keep = child.stays and not self.stopping
                if keep:
                    self.idle.append(child)
            if not keep:
                child.connection.close()

    def _fork(self) -> "Child":
        ours, theirs = socket.socketpair()
        with self.lock, theirs:
            try:
                if self.stopping:
                    raise ChildProcessError("the worker stops")
                if self.server is None or self.server.poll() is not None:
                    self._start()
                assert self.control is not None
                socket.send_fds(self.control, [b"j"], [theirs.fileno()])
            except BaseException:
                ours.close()
                raise
        return Child(ours)

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

    def _await(self, child: "Child", execution: Execution) -> Verdict | None:
        """The verdict; None if a child that was kept has gone before the job began: another is to be taken.

        The claim is sent once there is a child, and the job's time begins when it does.
        """
        received: dict[str, Any] = {}
        kept = bool(child.pid)
        child.stays, child.deadline = False, time.monotonic() + LONGEST_START
        try:
            if kept:
                child.send({"claim": dump_claim(execution.claim)})
            for message in child:
                received |= message
                self._handle(child, execution, message)
                if "verdict" in message or "exit" in message:
                    break
        except TimeoutError:
            return self._time_out(child, execution, received)
        except OSError:
            if not kept:
                raise
        if "verdict" in received:
            child.stays = received["stays"]
            return load_verdict(received["verdict"])
        if kept and "began" not in received:
            return None
        if "exit" in received and not self.stopping:
            return judge_crash(execution, _how(received["exit"]))
        return released("the worker stopped" if self.stopping else "its process died with the worker")

    def _handle(self, child: "Child", execution: Execution, message: dict[str, Any]) -> None:
        if "pid" in message:
            child.pid = message["pid"]
            child.send({"claim": dump_claim(execution.claim)})
        if "began" in message:
            child.deadline = time.monotonic() + execution.queue.timeout
            execution.on_stop(partial(_send_stop, child, execution))
        if "report" in message:
            execution.restore(Report(*message["report"]))

    def _time_out(self, child: "Child", execution: Execution, received: dict[str, Any]) -> Verdict:
        if child.pid:
            os.kill(child.pid, signal.SIGKILL)
        if "began" not in received:
            return released(f"no child process began within {LONGEST_START:g} s", wait=1.0)
        return judge_timeout(execution)

    def stop(self) -> None:
        """End the fork server; children that still run are killed."""
        with self.lock:
            self.stopping = True
            for child in self.idle:
                child.connection.close()
            self.idle.clear()
            if self.control is not None:
                self.control.close()
            if self.server is not None:
                self.server.wait()


class Child:
    """A child process as its parent sees it: what it and the fork server write, message by message.

    Reading raises TimeoutError at the (monotonic) deadline.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.pid = 0
        self.stays = False
        self.deadline = 0.0
        self._messages: deque[dict[str, Any]] = deque()
        self._rest = b""
        self._sending = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        with self._sending:
            write_line(self.connection, message)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while True:
            while self._messages:
                yield self._messages.popleft()
            self.connection.settimeout(max(0.001, self.deadline - time.monotonic()))
            received = self.connection.recv(65536)
            if not received:
                return
            *lines, self._rest = (self._rest + received).split(b"\n")
            self._messages.extend(map(json.loads, lines))


def _send_stop(child: Child, execution: Execution) -> None:
    try:
        child.send({"stop": execution.claim.token.hex})
    except OSError as error:
        log.debug("a child could not be asked to stop: %s", error)


def _how(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code} and no verdict"
