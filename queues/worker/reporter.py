"""The reporter: carries what the running jobs of this process say into the ledger, and brings the wish to stop.

It has a thread and a connection of its own, so that a job may say what it likes inside a transaction.
"""

import logging
import threading

from django.conf import settings
from django.db import connection

from .. import context, ledger, signals
from ..errors import unforeseen
from ..lifecycle.execution import Running

log = logging.getLogger(__name__)


class Reporter:
    """Reports every QUEUE_REPORT seconds until `stopping` is set; outages are waited out."""

    def __init__(self) -> None:
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(settings.QUEUE_REPORT):
            try:
                report()
            except Exception as error:
                log.warning("what running jobs say has to wait: %s", error, exc_info=unforeseen(error))
                connection.close()
        connection.close()


def report() -> None:
    """Write what changed in one statement; ask in another which jobs should stop. Nothing runs: nothing is done."""
    running = [job for job in context.all_running() if not job.stop_asked]
    if running:
        stopped = ledger.to_stop([job.claim for job in running])
        for job in running:
            if job.claim.token in stopped:
                job.ask_to_stop()
    _write_progress([job for job in context.all_running() if job.progress != job.reported])


def _write_progress(changed: list[Running]) -> None:
    if not changed:
        return
    told = [(job.claim, job.progress) for job in changed]
    written = ledger.write_progress(told)
    for job, (claim, progress) in zip(changed, told, strict=True):
        if claim.token in written:
            job.reported = progress
            signals.progressed(claim, progress)
