"""The claim: offered jobs become active, for one worker, as many as the limits of their queue allow."""

import json
import re
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, NamedTuple

from django.db import transaction

from ..lifecycle.claim import Claim
from ..lifecycle.offer import Offer
from ..postgres import prepared
from ..settings import Queue
from . import limits
from .pauses import PAUSED


class Admitted(NamedTuple):
    """What was claimed; the offers that may not start yet, and in how many seconds to ask again."""

    claims: list[Claim]
    refused: list[Offer]
    wait: float = 0.0


CLAIM = f"""
WITH locked AS MATERIALIZED (
    SELECT o.job_id, o."offer" FROM unnest(%s::bigint[], %s::int[]) AS t(job_id, "offer"), LATERAL (
        SELECT * FROM queues_outbox o
        WHERE o.job_id = t.job_id
              AND (o."offer" = t."offer" AND o.offered_at IS NOT NULL AND NOT o.withdrawn AND o.queue = %s) IS TRUE
              AND o.due_at <= clock_timestamp() AND o.queue <> ALL ({PAUSED})
              AND (SELECT j.name FROM queues_job j WHERE j.id = t.job_id) = ANY (%s::text[])
        FOR UPDATE OF o SKIP LOCKED
    ) o
), taken AS (
    DELETE FROM queues_outbox o USING locked WHERE o.job_id = ANY(ARRAY[locked.job_id]) RETURNING o.job_id, o."offer"
)
UPDATE queues_job j
SET state = 'active', attempt = j.attempt + 1, "offer" = taken."offer", token = gen_random_uuid(),
    worker_id = %s::bigint, started_at = clock_timestamp(), finished_at = NULL,
    progress = NULL, progress_note = '', result = NULL
FROM taken WHERE j.id = ANY(ARRAY[taken.job_id]) AND (j.state = 'waiting') IS TRUE
RETURNING j.id, j.name, j.queue, j.args, j.subject, j.key, j.attempt, j.max_attempts, j.lone_crashes, j.suspect,
          j."offer", j.token, j.priority, extract(epoch FROM j.started_at)::float8
"""
"""Each row is found by its id: `= ANY(ARRAY[x])` and `(...) IS TRUE` leave PostgreSQL no other way, see `prepared`."""


def claim(queue: Queue, offers: Sequence[Offer], worker_id: int | None, names: Collection[str]) -> Admitted:
    """Make offered jobs of a queue active for this worker, as many as its limits allow now.

    The claim deletes the outbox row in the same statement. Stale, unknown, withdrawn and early offers, those of paused
    or other queues, and jobs whose name is not among `names`, are not claimed.
    """
    if queue.rate is None and queue.scope == "process":
        return Admitted(_claim(queue, offers, worker_id, names), [])
    with transaction.atomic():
        allowance = limits.lock_queue(queue, len(offers))
        claims = _claim(queue, offers[: allowance.jobs], worker_id, names)
        limits.spend(queue, allowance, len(claims))
    return Admitted(claims, list(offers[allowance.jobs :]), allowance.wait)


def _claim(queue: Queue, offers: Sequence[Offer], worker_id: int | None, names: Collection[str]) -> list[Claim]:
    if not offers:
        return []
    ids, numbers = [offer.job_id for offer in offers], [offer.number for offer in offers]
    rows = prepared.execute(CLAIM, [ids, numbers, queue.name, _array(tuple(names)), worker_id])
    return [_from_row(row) for row in rows]


def _from_row(row: tuple[Any, ...]) -> Claim:
    """Django leaves jsonb as text."""
    values = list(row)
    values[ARGS] = json.loads(values[ARGS])
    return Claim._make(values)


ARGS = Claim._fields.index("args")


@cache
def _array(names: tuple[str, ...]) -> str:
    """A literal of PostgreSQL's text[]: to write the list of all jobs anew takes as long as to claim one."""
    quoted = (re.sub(r'(["\\])', r"\\\1", name) for name in names)
    return "{" + ",".join(f'"{name}"' for name in quoted) + "}"
