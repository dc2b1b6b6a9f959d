"""WORKER_MODE=in-process: a worker inside a web process.

It starts with the first request, after any fork, on a thread of its own; jobs never run in a request's thread.
"""

import atexit
import logging
import os
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.signals import request_started

from .. import brokers
from ..settings import queues_of
from .process import WorkerProcess

log = logging.getLogger(__name__)


class EmbeddedWorker:
    """The worker of a web process, started once in each process that serves a request."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.started_in: int | None = None

    def start(self, **_: Any) -> None:
        """Start it if this process has none yet."""
        if self.started_in == os.getpid():
            return
        with self.lock:
            if self.started_in == os.getpid():
                return
            self.started_in = os.getpid()
            queues = queues_of(settings.WORKER_TYPE)
            worker = WorkerProcess(queues, brokers.current(), name="web", replaceable=_is_under_gunicorn())
            thread = threading.Thread(target=_run, args=(worker,), name="worker", daemon=True)
            thread.start()
            atexit.register(_stop, worker, thread)
        log.info("jobs run in this web process (WORKER_MODE=in-process)")


def _is_under_gunicorn() -> bool:
    """Whether a master replaces this process when it ends."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("gunicorn")


def _run(worker: WorkerProcess) -> None:
    worker.run()
    if worker.is_hung:
        log.error("a job hangs in this web process: it ends after its requests, and gunicorn starts another")
        os.kill(os.getpid(), signal.SIGTERM)


def _stop(worker: WorkerProcess, thread: threading.Thread) -> None:
    worker.stop()
    thread.join(timeout=settings.QUEUE_GRACE + 10)


def connect() -> None:
    """Listen for the first request."""
    request_started.connect(EmbeddedWorker().start, weak=False, dispatch_uid="queues.embedded_worker")
