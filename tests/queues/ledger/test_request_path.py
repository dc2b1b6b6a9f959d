"""Who enqueues speaks to PostgreSQL alone: no Redis, however it is."""

import socket
import sys
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import transaction

from queues.ledger.counts import Counts, stats
from queues.models import Job
from tests.jobapp.jobs import record, something_happened, something_was_undone
from tests.patches import WatchedPatch
from tests.processes import Processes

pytestmark = pytest.mark.usefixtures("ledger_db")


@pytest.fixture
def no_redis(monkeypatch: WatchedPatch) -> list[object]:
    """Every connection that Python code opens is written down and refused."""
    opened: list[object] = []

    def refuse(self: socket.socket, address: object) -> None:
        opened.append(address)
        self.close()
        raise AssertionError(f"a connection to {address} was opened")

    monkeypatch.guard(socket.socket, "connect", refuse)
    monkeypatch.guard(socket.socket, "connect_ex", refuse)
    return opened


def test_guard_of_these_tests_sees_a_connection_to_redis(no_redis: list[object]):
    from queues.brokers.rq.connection import client

    client().connection_pool.disconnect()
    with pytest.raises(AssertionError, match="was opened"):
        client().ping()

    assert no_redis[0] == ("127.0.0.1", urlsplit(settings.QUEUE_REDIS_URL).port)


def test_enqueue_emit_cancel_and_stats_open_no_connection(no_redis: list[object]):
    record.enqueue(label="a")
    record.using(key="k", run_after=99).enqueue(label="a")
    record.cancel(key="k")
    with transaction.atomic():
        something_happened.emit(label="a", number=1)
        something_was_undone.emit(label="a")
    stats()

    assert Job.objects.count() == 4
    assert no_redis == []


def test_jobs_are_written_with_redis_away(processes: Processes):
    """A process of its own whose Redis is a closed port."""
    script = (
        "import django; django.setup()\n"
        "from django.db import transaction\nfrom tests.jobapp.jobs import record, something_happened\n"
        "record.enqueue(label='a')\n"
        "with transaction.atomic():\n    something_happened.emit(label='a', number=1)\n"
    )

    process = processes.run(sys.executable, "-c", script, name="enqueue", QUEUE_REDIS_URL="redis://127.0.0.1:9/0")

    assert process.exit_code() == 0
    assert process.output == ""
    assert Job.objects.filter(state="waiting").count() == 3


def test_stats_count_delayed_jobs_apart():
    record.enqueue(label="a")
    record.using(run_after=99).enqueue(label="b")

    total, queues = stats()

    assert total == queues["order"] == Counts(waiting=1, delayed=1)
    assert queues["email"] == Counts()
