"""How PostgreSQL goes about the engine's statements: a batch costs what the batch is large, not what the ledger is."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from queues import ledger
from queues.ledger import outbox
from queues.lifecycle.offer import Offer
from queues.lifecycle.verdict import COMPLETED, Finished
from queues.models import Job, Outbox
from queues.postgres import prepared
from queues.states import JobState
from tests.jobapp.jobs import record
from tests.queues.claims import claim_offers, execution_of

pytestmark = pytest.mark.usefixtures("ledger_db")


@pytest.fixture(params=["no offers", "nothing"])
def full_ledger(request: pytest.FixtureRequest) -> None:
    """5,000 jobs wait, where PostgreSQL's statistics believe that none is offered or active, or that there are none."""
    requests = [record.request({"label": str(n)}) for n in range(5000)]
    ledger.enqueue(requests)
    if request.param == "nothing":
        Outbox.objects.all().delete()
        Job.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE queues_job, queues_outbox")
    if request.param == "nothing":
        ledger.enqueue(requests)


@pytest.fixture
def offers(full_ledger: None) -> list[Offer]:
    return [offer for _ in range(5) for offer in outbox.offer_due("order", 1000)]


@pytest.fixture
def engine() -> Iterator[ThreadPoolExecutor]:
    """A thread that serves the engine alone."""
    with ThreadPoolExecutor(1, initializer=prepared.use_generic_index_plans) as engine:
        yield engine
        engine.submit(connections.close_all).result()


def test_claim_and_verdicts_read_the_rows_of_their_jobs_alone_however_many_wait_or_run(
    offers: list[Offer], engine: ThreadPoolExecutor
):
    # given jobs that run
    claim_offers(offers[:2000], None)

    # when a batch is claimed and completed
    read = engine.submit(rows_read_to_claim_and_complete, offers[-100:]).result()

    # then its rows are read, some of them several times
    assert Job.objects.filter(state=JobState.COMPLETED).count() == 100
    assert 200 <= read[0] < 1000
    assert 100 <= read[1] < 1000


def test_offers_that_are_taken_back_read_their_own_rows_alone(offers: list[Offer], engine: ThreadPoolExecutor):
    """As when a queue is paused while its fetcher has received a batch."""
    read = engine.submit(rows_read_to_release, offers[-100:]).result()

    assert Outbox.objects.filter(offered_at=None).count() == 100
    assert 200 <= read < 1000


def test_offering_reads_no_more_than_its_window(full_ledger: None, engine: ThreadPoolExecutor):
    assert 300 <= engine.submit(rows_read_to_offer, 100).result() < 1000

    assert Outbox.objects.exclude(offered_at=None).count() == 100


def rows_read_to_claim_and_complete(offers: list[Offer]) -> tuple[int, int]:
    """How many rows of jobs and offers these offers' claim reads, and their verdicts, by index or not."""
    with transaction.atomic():
        claims = claim_offers(offers, None)
        to_claim = rows_read()
    with transaction.atomic():
        ledger.finish([Finished(execution_of(claim), COMPLETED) for claim in claims])
        return to_claim, rows_read()


def rows_read_to_offer(window: int) -> int:
    with transaction.atomic():
        outbox.offer_windows(["order"], window, 0, None)
        return rows_read()


def rows_read_to_release(offers: list[Offer]) -> int:
    with transaction.atomic():
        outbox.release(offers)
        return rows_read()


def rows_read() -> int:
    """How many this transaction has read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('queues_job', 'queues_outbox')"
        )
        return int(cursor.fetchone()[0])
