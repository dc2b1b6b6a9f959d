"""The keeper: a small detached process that stops the servers of a place when nobody has used them for a while.

`python -m bharatmart.devservers.keeper ROOT CLONE SECONDS`. It ends with its servers, at once when the clone or the
folder of the servers has been deleted. Only one runs: it holds `keeper.lock`.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bharatmart.devservers.errors import ServerDidNotStart, StartTimedOut
from bharatmart.devservers.place import Place, wait_for_lock
from bharatmart.devservers.processes import Account, end, is_running, spawn

IDLE_SECONDS = 120.0
START_TIMEOUT = 15.0
PID_FILES = (
    ("postgres*/data/postmaster.pid", "", signal.SIGINT),
    ("valkey*/valkey.pid", "valkey.conf", signal.SIGTERM),
)


@contextlib.contextmanager
def keeper_of(place: Place) -> Iterator[None]:
    """Have a keeper by the end of the block, which it spends on starting up; wants the turn."""
    if not place.is_kept():
        _start(place)
    yield
    until = time.monotonic() + START_TIMEOUT
    while not place.is_kept():
        if time.monotonic() > until:
            raise ServerDidNotStart(f"The keeper: {place.root / 'keeper.log'}")
        time.sleep(0.01)


def _start(place: Place) -> None:
    seconds = os.environ.get("BHARATMART_SERVERS_IDLE", str(IDLE_SECONDS))
    argv = [sys.executable, "-m", "bharatmart.devservers.keeper", str(place.root), str(place.clone), seconds]
    spawn(Account(), argv, place.clone, place.root / "keeper.log")


class Keeper:
    """Watches one place; `servers` maps the pid of each to its mark and its stop signal."""

    def __init__(self, place: Place, idle_seconds: float) -> None:
        self.place = place
        self.idle_seconds = idle_seconds
        self.lock = place.open_lock("keeper.lock")
        self.servers: dict[int, tuple[str, signal.Signals]] = {}

    def run(self) -> None:
        """Watch until the servers are stopped, or their folder is gone or another's."""
        if not wait_for_lock(self.lock, seconds=2.0):
            return
        with contextlib.suppress(FileNotFoundError):
            self._watch()
        if not self._is_in_place():
            self._stop(self.servers)

    def _watch(self) -> None:
        unused_since = time.monotonic()
        while self._is_in_place():
            self.servers = dict(running_servers(self.place.root))
            if self.place.is_used():
                unused_since = time.monotonic()
            if time.monotonic() - unused_since >= self._patience() and self._close():
                return
            time.sleep(min(1.0, self.idle_seconds / 4))

    def _patience(self) -> float:
        return self.idle_seconds if self.place.clone.exists() else 0.0

    def _is_in_place(self) -> bool:
        """Whether the folder is still the one in which this keeper began."""
        with contextlib.suppress(OSError):
            return os.path.samestat(os.fstat(self.lock), (self.place.root / "keeper.lock").stat())
        return False

    def _close(self) -> bool:
        """Stop everything unless somebody came back; the next user finds no keeper and starts one."""
        with contextlib.suppress(StartTimedOut), self.place.turn():
            if self.place.is_used():
                return False
            self._stop(dict(running_servers(self.place.root)))
            if not self.place.clone.exists():
                shutil.rmtree(self.place.root, ignore_errors=True)
            os.close(self.lock)
            return True
        return False

    def _stop(self, servers: dict[int, tuple[str, signal.Signals]]) -> None:
        for pid, (mark, gentle) in servers.items():
            end(pid, mark, gentle)


def running_servers(root: Path) -> Iterator[tuple[int, tuple[str, signal.Signals]]]:
    """Each running server below the folder: pid, mark and stop signal."""
    for pattern, marked_by, gentle in PID_FILES:
        for path in root.glob(pattern):
            with contextlib.suppress(OSError, ValueError, IndexError):
                pid, mark = int(path.read_text().split()[0]), str(path.parent / marked_by)
                if is_running(pid, mark):
                    yield pid, (mark, gentle)


if __name__ == "__main__":
    os.chdir("/")
    root, clone, seconds = sys.argv[1:]
    Keeper(Place(Path(root), Path(clone)), float(seconds)).run()
