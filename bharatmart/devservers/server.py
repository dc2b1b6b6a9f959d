"""What both servers have in common: adopt the one that runs, or start one and check that it is ours."""

import contextlib
import signal
import socket
import time
from abc import ABC, abstractmethod
from pathlib import Path

from bharatmart.devservers.errors import ServerDidNotStart
from bharatmart.devservers.processes import Account, end, is_running, spawn

START_TIMEOUT = 30.0
ANSWER_TIMEOUT = 5.0  # of a server that was there before us


class Server(ABC):
    """A server in a folder of its own; every method that changes something wants the turn of the place."""

    gentle: signal.Signals

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        self.account = Account()

    @property
    @abstractmethod
    def pid_file(self) -> Path: ...

    @property
    @abstractmethod
    def mark(self) -> str:
        """The argument by which the process is known as ours."""

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def prepare(self) -> None:
        """Make the folder and what the server needs before it starts."""

    @abstractmethod
    def command(self, port: int) -> list[str]: ...

    @abstractmethod
    def is_ours(self, pid: int) -> bool:
        """Ask the server behind the port for its pid and its folder."""

    @abstractmethod
    def complete(self) -> None:
        """What is to do once the server answers."""

    @property
    def port(self) -> int:
        """The last port, or 0."""
        with contextlib.suppress(OSError, ValueError):
            return int((self.folder / "port").read_text())
        return 0

    def pid(self) -> int | None:
        """The pid of our running server."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(self.pid_file.read_text().split()[0])
            return pid if is_running(pid, self.mark) else None
        return None

    def ensure(self) -> str:
        """Have it running; its URL. Raises ServerDidNotStart with the end of the log."""
        pid = self.pid()
        if pid is None or not self._answers(pid, ANSWER_TIMEOUT):
            self.stop(seconds=1.0)  # what does not answer will hardly shut down in order
            self.prepare()
            self._start()
        return self.url

    def stop(self, seconds: float = 10.0) -> None:
        pid = self.pid()
        if pid is not None:
            end(pid, self.mark, self.gentle, seconds)

    def _start(self) -> None:
        until = time.monotonic() + START_TIMEOUT
        while time.monotonic() < until:
            port = free_port(0 if self._lost_its_port() else self.port)
            (self.folder / "port").write_text(str(port))
            self.pid_file.unlink(missing_ok=True)
            pid = spawn(self.account, self.command(port), self.folder, self.log)
            if self._answers(pid, until - time.monotonic()):
                return self.complete()
            end(pid, self.mark, self.gentle)
            time.sleep(0.2)  # what a killed server left behind needs a moment to go
        raise ServerDidNotStart(self._end_of_log())

    def _lost_its_port(self) -> bool:
        """Whether another program took the port between our look at it and the server's."""
        return "Address already in use" in self._end_of_log()

    def _answers(self, pid: int, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not self.is_ours(pid):
            if time.monotonic() > until or not is_running(pid, self.mark):
                return False
            time.sleep(0.04)
        return True

    def _end_of_log(self) -> str:
        with contextlib.suppress(OSError):
            return f"{self.log}:\n" + "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        return str(self.log)


def free_port(preferred: int = 0) -> int:
    """A TCP port that is free on 127.0.0.1 at this moment, the preferred one if it is."""
    for port in (preferred, 0):
        with contextlib.suppress(OSError), socket.socket() as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(("127.0.0.1", port))
            return int(door.getsockname()[1])
    raise ServerDidNotStart("No TCP port is free on 127.0.0.1.")
