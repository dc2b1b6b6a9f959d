"""Fixtures of the engine's tests: a ledger that other processes see, an empty Redis, real processes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from redis import Redis

from queues.brokers.rq.connection import client
from queues.models import Attempt, AuditEntry, Chore, Job, Outbox, QueueState, Schedule, Tally, Worker
from tests.jobapp.models import Gate, Run
from tests.patches import WatchedPatch
from tests.processes import Processes
from tests.queues.defined_here import define
from tests.queues.in_thread import worker_here
from tests.queues.raising import raising

__all__ = ["define", "raising", "worker_here"]

TABLES = (Run, Gate, AuditEntry, Attempt, Outbox, Job, Tally, Worker, Schedule, QueueState, Chore)

QUICK = {
    "DJANGO_SETTINGS_MODULE": "tests.jobapp.settings",
    "LOG_LEVEL": "INFO",
    "QUEUE_POLL": "0.2",
    "QUEUE_RECHECK": "1",
    "QUEUE_OVERDUE": "1",
    "QUEUE_HEARTBEAT": "0.3",
    "QUEUE_LEASE": "2.5",
    "QUEUE_SWEEP": "0.4",
    "QUEUE_REPORT": "0.1",
    "QUEUE_BROKER_DELAY": "1",
    "QUEUE_GRACE": "10",
}
"""What is minutes in production is seconds here."""


@pytest.fixture(scope="session")
def test_database(
    django_db_setup: None, django_db_blocker: Any, django_db_keepdb: bool, django_db_createdb: bool
) -> Iterator[None]:
    """The test database also when no chosen test bears pytest-django's mark, for which it makes none."""
    if connection.settings_dict["NAME"].startswith("test_"):
        yield
        return
    with django_db_blocker.unblock():
        made = setup_databases(0, interactive=False, keepdb=django_db_keepdb and not django_db_createdb)
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            teardown_databases(made, 0)


@pytest.fixture
def ledger_db(test_database: None, django_db_blocker: Any) -> Iterator[None]:
    """An empty ledger, without a transaction around the test; only the engine's tables are emptied."""
    with django_db_blocker.unblock():
        _empty()
        yield
        _empty()


def _empty() -> None:
    """DELETE is many times faster than TRUNCATE where there is little to delete."""
    if connection.connection is not None:
        connection.rollback()  # what a failed test left open
    deletions = "; ".join(f"DELETE FROM {model._meta.db_table}" for model in TABLES)
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '10s'; {deletions}; RESET lock_timeout")


@pytest.fixture
def monkeypatch() -> Iterator[WatchedPatch]:
    """Replaced functions have to be reached."""
    patch = WatchedPatch()
    yield patch
    patch.undo()
    assert not patch.unreached, f"replaced and never called: {', '.join(sorted(patch.unreached))}"


@pytest.fixture
def redis() -> Iterator[Redis]:
    """The Redis of this test process, empty."""
    connection = client()
    connection.flushdb()
    yield connection
    connection.flushdb()


@pytest.fixture
def one_attempt(settings: Any) -> None:
    """Jobs of the order queue that this process writes have one attempt."""
    settings.QUEUES = {**settings.QUEUES, "order": {**settings.QUEUES["order"], "attempts": 1}}


@pytest.fixture
def processes(ledger_db: None, redis: Redis, tmp_path: Path) -> Iterator[Processes]:
    """Start real processes with short times; those that still live after the test are killed."""
    started = Processes(tmp_path, QUICK)
    yield started
    started.end()
