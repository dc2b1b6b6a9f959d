"""Child processes for CPU work and for suspects: the process that `children.py` starts.

The fork server is a process of its own with one thread and no connections, so that forking is safe whatever
runs in its parent. For each job the parent sends one end of a socket pair; a forked child reads the claim from
it and writes its verdict to it; when the child is gone the server adds how it ended. If the parent dies, its
end of the control socket closes and the server takes all children down with it.
"""

import ctypes
import json
import logging
import os
import select
import signal
import socket
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from .ledger import Claim, Verdict
from .states import JobState, Outcome

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1


def dump_claim(claim: Claim) -> bytes:
    values = {**asdict(claim), "token": claim.token.hex, "started_at": claim.started_at.isoformat()}
    return json.dumps(values).encode() + b"\n"


def load_claim(line: bytes) -> Claim:
    values = json.loads(line)
    values |= {"token": UUID(values["token"]), "started_at": datetime.fromisoformat(values["started_at"])}
    return Claim(**values)


def load_verdict(values: dict[str, Any]) -> Verdict:
    return Verdict(**{**values, "state": JobState(values["state"]), "outcome": Outcome(values["outcome"])})


def _write_line(connection: socket.socket, values: dict[str, Any]) -> None:
    connection.sendall(json.dumps(values).encode() + b"\n")


class Server:
    """Forks a child for each socket it is sent, and tells how each child ended."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.children: dict[int, socket.socket] = {}

    def serve(self) -> None:
        """Until the parent closes its end; then every child is killed."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        while True:
            ready = select.select([self.control.fileno(), wake_read], [], [])[0]
            if wake_read in ready:
                os.read(wake_read, 4096)
                self._reap()
            if self.control.fileno() in ready:
                _, fds, _, _ = socket.recv_fds(self.control, 1, 1)
                if not fds:
                    break
                self._fork(socket.socket(fileno=fds[0]))
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)

    def _fork(self, connection: socket.socket) -> None:
        pid = os.fork()
        if pid == 0:
            self._be_child(connection)
        self.children[pid] = connection
        try:
            _write_line(connection, {"pid": pid})
        except OSError:
            os.kill(pid, signal.SIGKILL)  # nobody waits any more: the deadline came before the child

    def _be_child(self, connection: socket.socket) -> None:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _die_with_parent()
            for inherited in (self.control, *self.children.values()):
                inherited.close()
            _run_and_tell(connection)
            status = 0
        except BaseException:
            log.exception("a child could not run its job")
        finally:
            os._exit(status)

    def _reap(self) -> None:
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection = self.children.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            try:
                _write_line(connection, {"exit": code})
            except OSError:
                log.debug("nobody waits for child %d any more", pid)
            connection.close()


def _die_with_parent() -> None:
    """Ask the kernel to kill this child if the fork server dies (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _run_and_tell(connection: socket.socket) -> None:
    import random

    from . import runner

    random.seed()
    with connection.makefile("rb") as lines:
        claim = load_claim(lines.readline())
    verdict = runner.run(claim)
    _write_line(connection, {"verdict": asdict(verdict)})


def main() -> None:
    """Serve the control socket whose number is the first argument. Only the end of the parent ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Server(socket.socket(fileno=int(sys.argv[1]))).serve()
