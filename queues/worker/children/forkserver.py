"""Child processes for CPU work and for suspects: the process that `pool.py` starts.

The fork server is a process of its own with one thread and no connections, so that forking is safe whatever
runs in its parent. For each child the parent sends one end of a socket pair; the forked child reads claims from
it, one after the other, sends through it what their jobs report (`channel.py`) and writes their verdicts to it; when
the child is gone the server adds how it ended. If the parent dies, its end of the control socket closes and the server
kills all children.

A child ends after QUEUE_CHILD_JOBS jobs, when it has grown beyond QUEUE_CHILD_MEMORY, after a suspect, and when it
has had nothing to do for IDLE seconds.
"""

import gc
import logging
import os
import resource
import select
import signal
import socket
import sys
from contextvars import copy_context
from importlib import import_module

from django.conf import settings

from ...execution import runner
from ...lifecycle.execution import Execution
from ...lifecycle.verdict import Verdict
from ...settings import queue_named
from ...supervisor.supervised import die_with_parent
from .channel import Channel, load_claim, write_line

log = logging.getLogger(__name__)

IDLE = 10.0


class Server:
    """Forks a child for each socket that it is sent, and sends how the child ended when it is gone."""

    def __init__(self, control: socket.socket) -> None:
        self.pid = os.getpid()
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
            write_line(connection, {"pid": pid})
        except OSError:
            os.kill(pid, signal.SIGKILL)  # nobody waits any more: the deadline came before the child

    def _be_child(self, connection: socket.socket) -> None:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            die_with_parent(self.pid)
            for inherited in (self.control, *self.children.values()):
                inherited.close()
            _run_jobs(connection)
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
                write_line(connection, {"exit": code})
            except OSError:
                log.debug("nobody waits for child %d any more", pid)
            connection.close()


def _run_jobs(connection: socket.socket) -> None:
    import random

    random.seed()
    channel = Channel(connection)
    for number in range(1, settings.QUEUE_CHILD_JOBS + 1):
        values = channel.next_claim(IDLE)
        if values is None:
            return
        claim = load_claim(values)
        verdict = _run(Execution(claim, queue_named(claim.queue)), channel)
        stays = not (claim.suspect or number == settings.QUEUE_CHILD_JOBS or _has_grown())
        write_line(connection, {"verdict": verdict._asdict(), "stays": stays})
        if not stays:
            return


def _run(execution: Execution, channel: Channel) -> Verdict:
    channel.begin(execution)
    verdict = copy_context().run(runner.run, execution)
    channel.end()
    return verdict


def _has_grown() -> bool:
    """Whether this process has ever held more memory than a child may keep; ru_maxrss is in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > settings.QUEUE_CHILD_MEMORY * 1024


def _preload() -> None:
    """Load what children would load one by one; what cannot be loaded is their jobs' error, not the server's."""
    for module in settings.QUEUE_CHILD_PRELOAD:
        try:
            import_module(module)
        except Exception:
            log.exception("%s could not be loaded for child processes", module)


def main() -> None:
    """Serve the control socket whose number is the first argument. Only the end of the parent ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _preload()
    gc.collect()
    gc.freeze()  # the collector leaves what is there alone, so that children go on sharing it
    Server(socket.socket(fileno=int(sys.argv[1]))).serve()
