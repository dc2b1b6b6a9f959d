"""Where a demo lives: the folder `var/demo`, or `var/demo-2` and so on when several run in this clone at once."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bharatmart.environment import BASE_DIR

from .errors import DemoError

MOST = 5


class TooManyDemos(DemoError):
    """Five demos run in this clone already; end one of them first."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True)
class Slot:
    """One demo's name and folder."""

    name: str
    folder: Path

    @property
    def database(self) -> str:
        return f"bharatmart_{self.name.replace('-', '_')}"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def mails(self) -> Path:
        return self.folder / "mails"

    @property
    def media(self) -> Path:
        return self.folder / "media"

    @property
    def book(self) -> Path:
        return self.folder / "gateway-book.jsonl"


@contextlib.contextmanager
def take_slot(root: Path = BASE_DIR / "var") -> Iterator[Slot]:
    """The first slot that no living demo has, its folder emptied. Raises TooManyDemos."""
    root.mkdir(exist_ok=True)
    for number in range(1, MOST + 1):
        name = "demo" if number == 1 else f"demo-{number}"
        lock = os.open(root / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if _is_free(lock):
                yield _emptied(Slot(name, root / name))
                return
        finally:
            os.close(lock)
    raise TooManyDemos


def _is_free(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _emptied(slot: Slot) -> Slot:
    if slot.folder.exists():
        shutil.rmtree(slot.folder)
    for folder in (slot.logs, slot.mails, slot.media):
        folder.mkdir(parents=True)
    return slot
