"""An execution: a claimed job while this process holds it, from the claim to the verdict."""

from collections.abc import Callable
from typing import NamedTuple

from ..postgres.storable import is_json
from ..settings import Queue
from .claim import Claim
from .log import JobLog

LONGEST_NOTE = 200


class Report(NamedTuple):
    """What a job has reported: how far it is, in percent (None: nothing yet), what it is doing, and its log lines."""

    percent: int | None = None
    note: str = ""
    log: str = ""


NOTHING_REPORTED = Report()


class Execution:
    """A claimed job of this process. The job's thread writes its progress and log here; the reporter sends the
    progress on and brings the request to stop.

    No method waits for a database, a broker or a socket.
    """

    def __init__(self, claim: Claim, queue: Queue) -> None:
        self.claim = claim
        self.queue = queue
        self.progress = self.written = NOTHING_REPORTED
        """The progress that the job reported last, and the one that stands in the ledger; both without the log."""
        self.stop_asked = False
        self._log: JobLog | None = None
        self._on_stop: Callable[[], None] | None = None

    @property
    def log(self) -> JobLog:
        """Made when the job first logs something: most never do."""
        if self._log is None:
            self._log = JobLog()
        return self._log

    def set_progress(self, percent: float, note: str = "") -> None:
        """Keep the progress for the reporter; ValueError if it is not a percentage and a short note."""
        if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
            raise ValueError(f"progress() takes a percentage from 0 to 100, got {percent!r}")
        if not isinstance(note, str) or len(note) > LONGEST_NOTE or not is_json(note):
            raise ValueError(f"progress() takes a note of at most {LONGEST_NOTE} characters without NUL, got {note!r}")
        self.progress = Report(int(percent), note)

    def ask_to_stop(self) -> None:
        """Let `job.cancelled()` be true from now on."""
        if not self.stop_asked:
            self.stop_asked = True
            if self._on_stop is not None:
                self._on_stop()

    def on_stop(self, call: Callable[[], None]) -> None:
        """Call this when the job is asked to stop; at once if it was asked before."""
        self._on_stop = call
        if self.stop_asked:
            call()

    def report(self) -> Report:
        """All that the job has reported so far."""
        return self.progress if self._log is None else self.progress._replace(log=self._log.text())

    def restore(self, report: Report) -> None:
        """Take over what the job has reported in another process."""
        self.progress = report._replace(log="")
        if report.log:
            self.log.replace(report.log)
