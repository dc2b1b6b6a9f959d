"""An executor in a thread of the test process, without a broker, and with short times."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections

from queues.brokers.in_process import InProcessBroker
from queues.worker.process import Executor


@contextmanager
def run_in_thread(queue: str) -> Iterator[Executor]:
    """An executor that serves this queue until the block ends."""
    executor = Executor([queue], InProcessBroker(), name="thread")

    def run() -> None:
        executor.run()
        connections.close_all()

    thread = threading.Thread(target=run, name="executor")
    thread.start()
    try:
        yield executor
    finally:
        executor.stop()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def executor(ledger_db: None, settings: Any) -> Iterator[Executor]:
    settings.QUEUE_POLL = settings.QUEUE_HEARTBEAT = settings.QUEUE_SWEEP = 0.05
    settings.QUEUE_RECHECK = 0.2
    with run_in_thread("order") as executor:
        yield executor
