"""A worker in a thread of the test process, with short times."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections

from queues.brokers.base import Broker
from queues.brokers.in_process import InProcessBroker
from queues.worker.process import WorkerProcess


@contextmanager
def run_in_thread(queue: str, broker: Broker | None = None) -> Iterator[WorkerProcess]:
    """A worker that serves this queue until the block ends."""
    worker = WorkerProcess([queue], broker or InProcessBroker(), name="thread")

    def run() -> None:
        worker.run()
        connections.close_all()

    thread = threading.Thread(target=run, name="worker")
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def worker_here(ledger_db: None, settings: Any) -> Iterator[WorkerProcess]:
    settings.QUEUE_POLL = settings.QUEUE_HEARTBEAT = settings.QUEUE_SWEEP = 0.05
    settings.QUEUE_RECHECK = 0.2
    with run_in_thread("order") as worker:
        yield worker
