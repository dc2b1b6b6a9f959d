"""Verdicts: what became of a claimed job, written where its token still stands."""

import json
import logging
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from django.db import DatabaseError, InterfaceError, connection, transaction

from .. import context, signals
from ..definitions import registry
from ..errors import UnknownJob
from ..lifecycle.execution import SILENT
from ..lifecycle.log import CHARACTERS
from ..postgres import prepared
from ..postgres.storable import storable
from ..states import JobState, Outcome
from . import outbox
from .claims import Claim
from .enqueue import enqueue

log = logging.getLogger(__name__)


class Verdict(NamedTuple):
    """What becomes of a claimed job: its next state, and how the attempt ended.

    A job that was asked to stop becomes cancelled instead, unless it completed. `lost_database`: what failed was its
    connection to PostgreSQL.
    """

    state: JobState
    outcome: Outcome
    error: str = ""
    traceback: str = ""
    wait: float = 0.0
    attempt_given_back: bool = False
    crashed: bool = False
    lost_database: bool = False
    result: Any = None


COMPLETED = Verdict(JobState.COMPLETED, Outcome.COMPLETED)


class Ending(NamedTuple):
    """A claim and what became of it."""

    claim: Claim
    verdict: Verdict


BECOMES = "CASE WHEN j.cancel_asked_at IS NULL OR t.state = 'completed' THEN t.state ELSE 'cancelled' END"

FINISH = f"""
WITH told AS MATERIALIZED (
    SELECT id, token, number, coalesce(state, 'completed') AS state, coalesce(outcome, 'completed') AS outcome,
           coalesce(error, '') AS error, coalesce(traceback, '') AS traceback, progress, coalesce(note, '') AS note,
           coalesce(log, '') AS log, result, coalesce(wait, 0) AS wait, coalesce(given_back, 0) AS given_back,
           coalesce(crashed, 0) AS crashed
    FROM jsonb_to_recordset(%s::jsonb) AS t(
        id bigint, token uuid, state text, outcome text, error text, traceback text, progress smallint, note text,
        log text, result jsonb, wait float, given_back int, crashed int, number int)
), done AS (
    UPDATE queues_job j
    SET state = {BECOMES}, token = NULL, worker_id = NULL, error = t.error, attempt = j.attempt - t.given_back,
        crashes = j.crashes + t.crashed, lone_crashes = j.lone_crashes + t.crashed,
        suspect = j.suspect OR t.crashed > 0,
        progress = coalesce(t.progress, j.progress),
        progress_note = CASE WHEN t.progress IS NULL THEN j.progress_note ELSE t.note END,
        result = t.result,
        run_at = CASE WHEN {BECOMES} = 'waiting' THEN clock_timestamp() + t.wait * interval '1 s' ELSE j.run_at END,
        finished_at = CASE WHEN {BECOMES} = 'waiting' THEN NULL ELSE clock_timestamp() END
    FROM told t
    WHERE j.id = ANY(ARRAY[t.id]) AND (j.token = t.token AND j.state = 'active') IS TRUE
    RETURNING j.id, j.queue, j.priority, j.run_at, j."offer", j.started_at, j.state,
              t.number, t.outcome, t.error, t.traceback, t.log
), waiting AS (
    INSERT INTO queues_outbox (job_id, queue, priority, due_at, "offer", withdrawn)
    SELECT id, queue, priority, run_at, "offer", false FROM done WHERE state = 'waiting'
), history AS (
    INSERT INTO queues_attempt (job_id, number, outcome, worker, started_at, error, traceback, log)
    SELECT id, number, CASE WHEN state = 'cancelled' AND outcome <> 'crashed' THEN 'cancelled' ELSE outcome END,
        %s::text, started_at, error, traceback, log FROM done
)
SELECT id, state FROM done
"""


def finish(claim: Claim, verdict: Verdict, worker: str = "") -> bool:
    """Write the verdict if the claim's token still stands; False for a zombie's, which changes nothing.

    What the job has said of itself is written with it.
    """
    with transaction.atomic() if verdict.state == JobState.FAILED else nullcontext():
        states = _write([Ending(claim, verdict)], worker)
        if states.get(claim.id) == JobState.FAILED:
            _enqueue_last_resort(claim)
    _tell([Ending(claim, verdict)], states)
    return bool(states)


def finish_all(endings: Sequence[Ending], worker: str = "") -> set[int]:
    """`finish` for many jobs, none of which has failed, in one statement; the ids of those whose token still stood."""
    states = _write(endings, worker)
    _tell(endings, states)
    return set(states)


def _write(endings: Sequence[Ending], worker: str) -> dict[int, str]:
    """What each job has become; those whose token does not stand are left out."""
    return dict(prepared.execute(FINISH, [json.dumps([_row(ending) for ending in endings]), worker]))


def _row(ending: Ending) -> dict[str, Any]:
    """What FINISH is told; a job that completed and said nothing is told in three words."""
    claim, verdict = ending
    row = {"id": claim.id, "token": claim.token.hex, "number": claim.attempt}
    if verdict != COMPLETED:
        row |= {
            "state": verdict.state.value,
            "outcome": verdict.outcome.value,
            "error": storable(verdict.error)[:10_000],
            "traceback": storable(verdict.traceback)[-50_000:],
            "result": verdict.result,
            "wait": verdict.wait,
            "given_back": int(verdict.attempt_given_back),
            "crashed": int(verdict.crashed),
        }
    said = context.running_of(claim).said()
    if said != SILENT:
        row |= {"progress": said.percent, "note": said.note, "log": storable(said.log)[-CHARACTERS:]}
    return row


def _tell(endings: Sequence[Ending], states: dict[int, str]) -> None:
    if JobState.WAITING in states.values():
        outbox.ring()
    for ending in endings:
        state = states.get(ending.claim.id)
        if state:
            running = context.running_of(ending.claim)
            if running.progress != running.reported:
                running.reported = running.progress
                signals.progressed(ending.claim, running.reported)
            signals.attempt_ended(ending.claim, ending.verdict, state)


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
        enqueue([last_resort.request(args, subject=claim.subject)])
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        log.exception("%s could not be asked for after #%d was given up", last_resort.name, claim.id)


LATE = """
INSERT INTO queues_queuestate AS q (name, late_verdicts) VALUES (%s, 1)
ON CONFLICT (name) DO UPDATE SET late_verdicts = q.late_verdicts + 1
"""


def count_late_verdict(queue: str) -> None:
    """A worker wanted to write a verdict on a job that was freed meanwhile, and could not."""
    with connection.cursor() as cursor:
        cursor.execute(LATE, [queue])
