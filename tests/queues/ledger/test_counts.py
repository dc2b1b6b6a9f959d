"""How many jobs are in each state, without counting them."""

import threading

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from queues import ledger
from queues.ledger import counts
from queues.models import Tally
from tests.jobapp.jobs import record, record_mail
from tests.queues.ledger.ledger_rules import broken_rules

pytestmark = pytest.mark.usefixtures("ledger_db")


def waiting(queue: str) -> int:
    return counts.stats().queues[queue].waiting


def test_jobs_of_a_transaction_count_when_it_is_committed():
    with transaction.atomic():
        record.enqueue(label="a")
        transaction.set_rollback(True)
    ledger.enqueue([record.request({"label": str(number)}) for number in range(3)])

    assert waiting("order") == 3


def test_folding_changes_no_count_while_jobs_come_in_on_many_connections(monkeypatch: pytest.MonkeyPatch):
    # given six connections that enqueue, and one that folds all the time
    done = threading.Event()
    monkeypatch.setattr(counts, "UNFOLDED", 5)

    def enqueue() -> None:
        for number in range(30):
            (record if number % 3 else record_mail).enqueue(label=str(number))
        connections.close_all()

    def fold() -> None:
        while not done.is_set():
            counts.fold()
        connections.close_all()

    folder = threading.Thread(target=fold)
    threads = [threading.Thread(target=enqueue) for _ in range(6)]
    for thread in (folder, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    folder.join()
    counts.fold()

    # then nothing was lost, and few rows are left
    assert (waiting("order"), waiting("email")) == (120, 60)
    assert Tally.objects.count() <= 5
    assert broken_rules() == {}


def test_few_rows_are_left_alone():
    record.enqueue(label="a")
    record.enqueue(label="b")

    counts.fold()

    assert Tally.objects.count() == 2


def test_recount_corrects_what_was_written_without_the_trigger(caplog: pytest.LogCaptureFixture):
    ledger.enqueue([record.request({"label": str(number)}) for number in range(4)])
    Tally.objects.all().delete()
    assert waiting("order") == 0

    assert counts.recount() == 1
    assert counts.recount() == 0

    assert waiting("order") == 4
    assert "corrected 1 tallies" in caplog.text


def test_no_page_of_counts_reads_the_table_of_jobs(admin_client: Client):
    record.enqueue(label="a")

    with CaptureQueriesContext(connection) as queries:
        for path in ("/api/queues/stats", "/api/queues/metrics"):
            admin_client.get(path)

    assert any("queues_tally" in query["sql"] for query in queries)
    assert not any("queues_job" in query["sql"] for query in queries)
