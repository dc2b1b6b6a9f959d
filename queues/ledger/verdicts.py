"""Verdicts: what became of a claimed job, written where its token still stands."""

import json
import logging
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from .. import context, outbox, registry, signals
from ..errors import UnknownJob
from ..kept_log import CHARACTERS
from ..states import JobState, Outcome
from ..storable import storable
from .claims import Claim
from .entries import enqueue

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What becomes of a claimed job: its next state, and how the attempt ended.

    A job that was asked to stop becomes cancelled instead, unless it completed.
    """

    state: JobState
    outcome: Outcome
    error: str = ""
    traceback: str = ""
    wait: float = 0.0
    attempt_given_back: bool = False
    crashed: bool = False
    result: Any = None


BECOMES = "CASE WHEN cancel_asked_at IS NULL OR %(state)s = 'completed' THEN %(state)s ELSE 'cancelled' END"

FINISH = f"""
WITH done AS (
    UPDATE queues_job
    SET state = {BECOMES}, token = NULL, worker_id = NULL, error = %(error)s, attempt = attempt - %(given_back)s,
        crashes = crashes + %(crashed)s, lone_crashes = lone_crashes + %(crashed)s,
        suspect = suspect OR %(crashed)s > 0,
        progress = coalesce(%(progress)s::smallint, progress),
        progress_note = CASE WHEN %(progress)s::smallint IS NULL THEN progress_note ELSE %(note)s END,
        result = %(result)s::jsonb,
        run_at = CASE WHEN {BECOMES} = 'waiting' THEN clock_timestamp() + %(wait)s * interval '1 s' ELSE run_at END,
        finished_at = CASE WHEN {BECOMES} = 'waiting' THEN NULL ELSE clock_timestamp() END
    WHERE id = %(id)s AND token = %(token)s AND state = 'active'
    RETURNING id, queue, priority, run_at, "offer", started_at, state
), waiting AS (
    INSERT INTO queues_outbox (job_id, queue, priority, due_at, "offer", withdrawn)
    SELECT id, queue, priority, run_at, "offer", false FROM done WHERE state = 'waiting'
), told AS (
    INSERT INTO queues_attempt (job_id, number, outcome, worker, started_at, error, traceback, log)
    SELECT id, %(number)s,
        CASE WHEN state = 'cancelled' AND %(outcome)s <> 'crashed' THEN 'cancelled' ELSE %(outcome)s END,
        %(worker)s, started_at, %(error)s, %(traceback)s, %(log)s FROM done
)
SELECT state FROM done
"""


def finish(claim: Claim, verdict: Verdict, worker: str = "") -> bool:
    """Write the verdict if the claim's token still stands; False for a zombie's, which changes nothing.

    What the job has said of itself is written with it.
    """
    running = context.running_of(claim)
    said = running.said()
    values: dict[str, Any] = {
        "id": claim.id,
        "token": claim.token,
        "state": verdict.state.value,
        "outcome": verdict.outcome.value,
        "error": storable(verdict.error)[:10_000],
        "traceback": storable(verdict.traceback)[-50_000:],
        "progress": said.percent,
        "note": said.note,
        "log": storable(said.log)[-CHARACTERS:],
        "result": None if verdict.result is None else json.dumps(verdict.result),
        "wait": verdict.wait,
        "given_back": int(verdict.attempt_given_back),
        "crashed": int(verdict.crashed),
        "number": claim.attempt,
        "worker": worker,
    }
    with transaction.atomic() if verdict.state == JobState.FAILED else nullcontext():
        with connection.cursor() as cursor:
            cursor.execute(FINISH, values)
            row = cursor.fetchone()
        state = row[0] if row else ""
        if state == JobState.FAILED:
            _enqueue_last_resort(claim)
    if state == JobState.WAITING:
        outbox.ring()
    if state:
        if running.progress != running.reported:
            running.reported = running.progress
            signals.progressed(claim, running.reported)
        signals.attempt_ended(claim, verdict, state)
    return bool(state)


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
