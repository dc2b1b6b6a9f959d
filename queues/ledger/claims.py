"""The claim: offered jobs become active, for one worker."""

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from ..definitions import registry
from ..lifecycle.offer import Offer
from ..postgres import prepared
from .pauses import PAUSED


class Claim(NamedTuple):
    """A job that this process may run, as long as the token stands."""

    id: int
    name: str
    queue: str
    args: dict[str, Any]
    subject: str
    key: str | None
    attempt: int
    max_attempts: int
    lone_crashes: int
    suspect: bool
    offer: int
    token: UUID
    priority: int
    started_at: float
    """Seconds since 1970, by PostgreSQL's clock."""

    @property
    def message_id(self) -> str:
        return f"{self.id}-{self.offer}"


CLAIM = f"""
WITH locked AS MATERIALIZED (
    SELECT o.job_id, o."offer" FROM unnest(%s::bigint[], %s::int[]) AS t(job_id, "offer"), LATERAL (
        SELECT * FROM queues_outbox o
        WHERE o.job_id = t.job_id AND (o."offer" = t."offer" AND o.offered_at IS NOT NULL AND NOT o.withdrawn) IS TRUE
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
"""Each row is found by its id, see `prepared`."""


def claim(offers: Sequence[Offer], worker_id: int | None) -> list[Claim]:
    """Make offered jobs active for this worker: the claim deletes the outbox row in the same statement.

    Stale, unknown, withdrawn and early offers, those of paused queues, and jobs this process does not know,
    are not claimed.
    """
    values = [[o.job_id for o in offers], [o.number for o in offers], _array(tuple(registry.names())), worker_id]
    rows = prepared.execute(CLAIM, values)
    return [_made(row) for row in rows]


def _made(row: tuple[Any, ...]) -> Claim:
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
