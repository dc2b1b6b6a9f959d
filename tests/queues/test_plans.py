"""How PostgreSQL goes about the engine's statements: a batch costs what the batch is large, not what the ledger is."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from queues import context, ledger, outbox, prepared
from queues.ledger import Ending, Verdict
from queues.models import Job
from queues.offer import Offer
from queues.states import JobState, Outcome
from tests.jobapp.jobs import record

pytestmark = pytest.mark.usefixtures("ledger_db")


def test_claim_and_verdicts_read_the_rows_of_their_jobs_alone_however_many_wait_or_run():
    # given a full ledger that PostgreSQL's statistics believe to be empty of offers and active jobs
    ledger.enqueue([record.request({"label": str(n)}) for n in range(5000)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE queues_job, queues_outbox")
    offers = [offer for _ in range(5) for offer in outbox.lease("order", 1000)]
    ledger.claim(offers[:2000], None)

    # when a thread of the engine claims and completes a batch
    with ThreadPoolExecutor(1, initializer=prepared.plan_by_index) as engine:
        read = engine.submit(rows_read_to_claim_and_complete, offers[-100:]).result()
        engine.submit(connections.close_all).result()

    # then it has read those of the batch, some of them several times
    assert Job.objects.filter(state=JobState.COMPLETED).count() == 100
    assert 200 <= read[0] < 1000
    assert 100 <= read[1] < 1000


def rows_read_to_claim_and_complete(offers: list[Offer]) -> tuple[int, int]:
    """How many rows of jobs and offers these offers' claim reads, and their verdicts, by index or not."""
    with transaction.atomic():
        claims = ledger.claim(offers, None)
        to_claim = rows_read()
    context.began(claims)
    with transaction.atomic():
        ledger.finish_all([Ending(claim, Verdict(JobState.COMPLETED, Outcome.COMPLETED)) for claim in claims])
        return to_claim, rows_read()


def rows_read() -> int:
    """How many this transaction has read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('queues_job', 'queues_outbox')"
        )
        return int(cursor.fetchone()[0])
