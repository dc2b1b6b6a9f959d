"""Keeps what a job logs with the job.

`JobLogHandler` belongs to the root logger (bharatmart/log.py) and keeps what is logged by the thread that runs a job.
The engine's own lines are left out.
"""

import copy
import logging
import time

from ..context import current_job


class JobLogHandler(logging.Handler):
    """Keeps records of INFO and above with the job that this thread runs: `12:34:56 INFO orders.x: message`.

    Its formatter gives the message alone. Tracebacks are not kept here: the attempt has the one that counts.
    """

    def __init__(self) -> None:
        super().__init__(level=logging.INFO)
        self.addFilter(_is_of_a_job)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._keep(record)
        except Exception:
            self.handleError(record)

    def _keep(self, record: logging.LogRecord) -> None:
        execution = current_job.get()
        if execution is not None:
            bare = copy.copy(record)
            bare.exc_info = bare.exc_text = bare.stack_info = None
            at = time.strftime("%H:%M:%S", time.localtime(record.created))
            execution.log.add(f"{at} {record.levelname} {record.name}: {self.format(bare)}")


def _is_of_a_job(record: logging.LogRecord) -> bool:
    return not record.name.startswith("queues.") and current_job.get() is not None
