"""The reporter writes the progress of this process's jobs into the ledger, and brings the request to stop.

It has a thread and a connection of its own, so that a job may report progress inside a transaction.
"""

from functools import partial

from .. import ledger, signals
from ..lifecycle.execution import Execution
from .held import Held
from .signal_sender import SignalSender


class Reporter:
    """A helper thread calls `report` every QUEUE_REPORT seconds."""

    def __init__(self, held: Held, signal_sender: SignalSender) -> None:
        self.held = held
        self.signal_sender = signal_sender

    def report(self) -> None:
        """Write what changed in one statement; ask in another which jobs should stop. Nothing runs: nothing is done."""
        running = [execution for execution in self.held.all() if not execution.stop_asked]
        if running:
            to_stop = ledger.to_stop([execution.claim for execution in running])
            for execution in running:
                if execution.claim.token in to_stop:
                    execution.ask_to_stop()
        self._write_progress([each for each in self.held.all() if each.progress != each.written])

    def _write_progress(self, changed: list[Execution]) -> None:
        if not changed:
            return
        reports = [(execution.claim, execution.progress) for execution in changed]
        written = ledger.write_progress(reports)
        for execution, (claim, report) in zip(changed, reports, strict=True):
            if claim.token in written:
                execution.written = report
                if signals.job_progressed.has_listeners(claim.name):
                    self.signal_sender.put(partial(signals.progressed, claim, report))
