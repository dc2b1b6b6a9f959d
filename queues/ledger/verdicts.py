"""Verdicts: what became of a claimed job, written where its token still stands."""

import logging
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from .. import outbox, registry
from ..errors import UnknownJob
from ..states import JobState, Outcome
from .claims import Claim
from .entries import enqueue

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What becomes of a claimed job: its next state, and how the attempt ended."""

    state: JobState
    outcome: Outcome
    error: str = ""
    traceback: str = ""
    wait: float = 0.0
    attempt_given_back: bool = False
    crashed: bool = False


FINISH = """
WITH done AS (
    UPDATE queues_job
    SET state = %(state)s, token = NULL, worker_id = NULL, error = %(error)s, attempt = attempt - %(given_back)s,
        crashes = crashes + %(crashed)s, lone_crashes = lone_crashes + %(crashed)s,
        suspect = suspect OR %(crashed)s > 0,
        run_at = CASE WHEN %(state)s = 'waiting' THEN clock_timestamp() + %(wait)s * interval '1 s' ELSE run_at END,
        finished_at = CASE WHEN %(state)s = 'waiting' THEN NULL ELSE clock_timestamp() END
    WHERE id = %(id)s AND token = %(token)s AND state = 'active'
    RETURNING id, queue, priority, run_at, "offer", started_at, state
), waiting AS (
    INSERT INTO queues_outbox (job_id, queue, priority, due_at, "offer", withdrawn)
    SELECT id, queue, priority, run_at, "offer", false FROM done WHERE state = 'waiting'
)
INSERT INTO queues_attempt (job_id, number, outcome, worker, started_at, error, traceback)
SELECT id, %(number)s, %(outcome)s, %(worker)s, started_at, %(error)s, %(traceback)s FROM done RETURNING job_id
"""


def finish(claim: Claim, verdict: Verdict, worker: str = "") -> bool:
    """Write the verdict if the claim's token still stands; False for a zombie's, which changes nothing."""
    values: dict[str, Any] = {
        "id": claim.id,
        "token": claim.token,
        "state": verdict.state.value,
        "outcome": verdict.outcome.value,
        "error": _storable(verdict.error)[:10_000],
        "traceback": _storable(verdict.traceback)[-50_000:],
        "wait": verdict.wait,
        "given_back": int(verdict.attempt_given_back),
        "crashed": int(verdict.crashed),
        "number": claim.attempt,
        "worker": worker,
    }
    with transaction.atomic() if verdict.state == JobState.FAILED else nullcontext():
        with connection.cursor() as cursor:
            cursor.execute(FINISH, values)
            written = cursor.fetchone() is not None
        if written and verdict.state == JobState.FAILED:
            _enqueue_last_resort(claim)
    if written and verdict.state == JobState.WAITING:
        outbox.ring()
    return written


def _storable(text: str) -> str:
    return text.replace("\x00", "\\x00").encode(errors="backslashreplace").decode()


def _enqueue_last_resort(claim: Claim) -> None:
    """The `on_failed` job of one that is given up for good."""
    try:
        last_resort = registry.get(claim.name).on_failed
    except UnknownJob:
        return
    if last_resort is None:
        return
    try:
        args = {name: claim.args[name] for name in last_resort.parameters if name in claim.args}
        request = last_resort.request(args, subject=claim.subject)
    except Exception:
        log.exception("%s could not be asked for after #%d was given up", last_resort.name, claim.id)
        return
    enqueue([request])
