"""A job while it runs: what it says of itself, and whether it was asked to stop."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ..postgres.storable import is_json
from .log import KeptLog

if TYPE_CHECKING:
    from ..ledger import Claim

LONGEST_NOTE = 200


class Progress(NamedTuple):
    """How far a job is, in percent (None: it has not said), and what it is doing."""

    percent: int | None = None
    note: str = ""


UNTOLD = Progress()


class Said(NamedTuple):
    """All that a job has said of itself so far."""

    percent: int | None = None
    note: str = ""
    log: str = ""


SILENT = Said()


class Running:
    """A claimed job of this process. Its thread writes here; a reporter carries it on and brings the wish to stop.

    Nothing here waits: no database, no broker, no socket.
    """

    def __init__(self, claim: "Claim") -> None:
        self.claim = claim
        self.progress = self.reported = UNTOLD
        self.stop_asked = False
        self._on_stop: Callable[[], None] | None = None

    @property
    def log(self) -> KeptLog:
        """Made when the job first says something: most say nothing."""
        kept: KeptLog = vars(self).setdefault("_log", KeptLog())
        return kept

    def tell(self, percent: float, note: str = "") -> None:
        """Keep the progress for the reporter; ValueError for what is none."""
        if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
            raise ValueError(f"progress() takes a percentage from 0 to 100, got {percent!r}")
        if not isinstance(note, str) or len(note) > LONGEST_NOTE or not is_json(note):
            raise ValueError(f"progress() takes a note of at most {LONGEST_NOTE} characters without NUL, got {note!r}")
        self.progress = Progress(int(percent), note)

    def ask_to_stop(self) -> None:
        """Let `job.cancelled()` be true from now on."""
        if not self.stop_asked:
            self.stop_asked = True
            if self._on_stop is not None:
                self._on_stop()

    def when_asked_to_stop(self, call: Callable[[], None]) -> None:
        """Pass the wish on, also if it came before."""
        self._on_stop = call
        if self.stop_asked:
            call()

    def said(self) -> Said:
        return Said(*self.progress, self.log.text() if "_log" in vars(self) else "")

    def repeat(self, said: Said) -> None:
        """Take over what the job has said in another process."""
        self.progress = Progress(said.percent, said.note)
        self.log.replace(said.log)
