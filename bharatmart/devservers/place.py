"""Where the servers of one user and one clone live, and the three locks of that folder.

`turn.lock` is held exclusively around initdb, start and stop; `use.lock` is shared by all who use the servers;
`keeper.lock` is held by the keeper for its life.
"""

import contextlib
import fcntl
import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bharatmart.devservers.errors import FolderRefused, NoTemporaryFolder, StartTimedOut

CLONE = Path(__file__).resolve().parents[2]
LONGEST_TEMPORARY_FOLDER = 50  # a socket's whole path must stay below 104 bytes (macOS; Linux: 108)
TURN_TIMEOUT = 60.0


@dataclass(frozen=True)
class Place:
    """The folder `bharatmart-<uid>-<hash of the clone's path>` below the system's temporary directory."""

    root: Path
    clone: Path

    @classmethod
    def of(cls, clone: Path = CLONE) -> "Place":
        mark = hashlib.sha256(os.fsencode(clone.resolve())).hexdigest()[:10]
        return cls(_temporary_folder() / f"bharatmart-{os.geteuid()}-{mark}", clone.resolve())

    def prepare(self) -> None:
        """Make the folder; FolderRefused if somebody else owns it or may write into it."""
        with contextlib.suppress(FileExistsError):
            # `nobody` must pass through root's folder to reach its own.
            self.root.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700)
        found = self.root.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise FolderRefused(str(self.root))

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Be the only one who starts or stops servers here; StartTimedOut after a minute of waiting."""
        lock = self.open_lock("turn.lock")
        try:
            if not wait_for_lock(lock, TURN_TIMEOUT):
                raise StartTimedOut
            yield
        finally:
            os.close(lock)

    def hold(self) -> int:
        """Share the use of the servers until the returned descriptor is closed here and in every child."""
        lock = self.open_lock("use.lock")
        fcntl.flock(lock, fcntl.LOCK_SH)
        os.set_inheritable(lock, True)
        return lock

    def is_used(self) -> bool:
        return self._is_locked("use.lock")

    def is_kept(self) -> bool:
        return self._is_locked("keeper.lock")

    def _is_locked(self, name: str) -> bool:
        try:
            lock = os.open(self.root / name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            return not try_lock(lock)
        finally:
            os.close(lock)

    def open_lock(self, name: str) -> int:
        return os.open(self.root / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def try_lock(lock: int) -> bool:
    """Take the exclusive lock if it is free; somebody's look at it may hold it for a moment."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_lock(lock: int, seconds: float) -> bool:
    """Take the exclusive lock as soon as it is free."""
    end = time.monotonic() + seconds
    while not try_lock(lock):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _temporary_folder() -> Path:
    for folder in (Path(tempfile.gettempdir()).resolve(), Path("/tmp")):
        if len(os.fsencode(folder)) <= LONGEST_TEMPORARY_FOLDER and (os.geteuid() != 0 or _open_to_all(folder)):
            return folder
    raise NoTemporaryFolder


def _open_to_all(folder: Path) -> bool:
    return all(step.stat().st_mode & stat.S_IXOTH for step in (folder, *folder.parents))
