"""Verdicts: what became of claimed jobs, written where their tokens still stand."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from ..lifecycle.execution import NOTHING_REPORTED
from ..lifecycle.log import CHARACTERS
from ..lifecycle.request import JobRequest
from ..lifecycle.verdict import COMPLETED, Ended, Finished
from ..postgres import prepared
from ..postgres.storable import storable
from ..states import JobState
from . import follow_ups, outbox

BECOMES = "CASE WHEN j.cancel_asked_at IS NULL OR t.state = 'completed' THEN t.state ELSE 'cancelled' END"

FINISH = f"""
WITH verdicts AS MATERIALIZED (
    SELECT id, token, number, coalesce(state, 'completed') AS state, coalesce(outcome, 'completed') AS outcome,
           coalesce(error, '') AS error, coalesce(traceback, '') AS traceback, progress, coalesce(note, '') AS note,
           coalesce(log, '') AS log, result, coalesce(wait, 0) AS wait, coalesce(not_counted, 0) AS not_counted,
           coalesce(crashed, 0) AS crashed
    FROM jsonb_to_recordset(%s::jsonb) AS t(
        id bigint, token uuid, state text, outcome text, error text, traceback text, progress smallint, note text,
        log text, result jsonb, wait float, not_counted int, crashed int, number int)
), done AS (
    UPDATE queues_job j
    SET state = {BECOMES}, token = NULL, worker_id = NULL, error = t.error, attempt = j.attempt - t.not_counted,
        crashes = j.crashes + t.crashed, lone_crashes = j.lone_crashes + t.crashed,
        suspect = j.suspect OR t.crashed > 0,
        progress = coalesce(t.progress, j.progress),
        progress_note = CASE WHEN t.progress IS NULL THEN j.progress_note ELSE t.note END,
        result = t.result,
        run_at = CASE WHEN {BECOMES} = 'waiting' THEN clock_timestamp() + t.wait * interval '1 s' ELSE j.run_at END,
        finished_at = CASE WHEN {BECOMES} = 'waiting' THEN NULL ELSE clock_timestamp() END
    FROM verdicts t
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


def finish(finished: Sequence[Finished], worker: str = "") -> dict[int, JobState]:
    """Write these verdicts where the claims' tokens still stand, in one statement; what those jobs have become, by id.

    A verdict whose token does not stand changes nothing (the job was freed meanwhile, and belongs to somebody else).
    What the jobs have reported is written with it, and what follows their end in the same transaction.
    """
    following = {key: requests for one in finished for key, requests in _follow_ups(one).items()}
    if not following:
        states = _write(finished, worker)
    else:
        with transaction.atomic():
            states = _write(finished, worker)
            reached = (requests for key, requests in following.items() if key in states.items())
            follow_ups.write(request for requests in reached for request in requests)
    if JobState.WAITING in states.values():
        outbox.notify()
    return states


def _follow_ups(finished: Finished) -> dict[tuple[int, JobState], Sequence[JobRequest]]:
    """What would follow each state that this verdict may lead to: its own, or cancelled if a stop was requested."""
    claim, own = finished.execution.claim, finished.verdict.state
    states = [own] if own == JobState.COMPLETED else [own, JobState.CANCELLED]
    following = {
        (claim.id, state): follow_ups.of(Ended(claim.id, claim.name, claim.args, claim.subject, state))
        for state in states
    }
    return {key: requests for key, requests in following.items() if requests}


def _write(finished: Sequence[Finished], worker: str) -> dict[int, JobState]:
    rows = prepared.execute(FINISH, [json.dumps([_row(one) for one in finished]), worker])
    return {job_id: JobState(state) for job_id, state in rows}


def _row(finished: Finished) -> dict[str, Any]:
    """One row for FINISH; that of a job that completed and reported nothing has three fields."""
    claim, verdict = finished.execution.claim, finished.verdict
    row = {"id": claim.id, "token": claim.token.hex, "number": claim.attempt}
    if verdict != COMPLETED:
        row |= {
            "state": verdict.state.value,
            "outcome": verdict.outcome.value,
            "error": storable(verdict.error)[:10_000],
            "traceback": storable(verdict.traceback)[-50_000:],
            "result": verdict.result,
            "wait": verdict.wait,
            "not_counted": int(verdict.attempt_not_counted),
            "crashed": int(verdict.crashed),
        }
    report = finished.execution.report()
    if report != NOTHING_REPORTED:
        row |= {"progress": report.percent, "note": report.note, "log": storable(report.log)[-CHARACTERS:]}
    return row


LATE = """
INSERT INTO queues_queuestate AS q (name, late_verdicts) VALUES (%s, 1)
ON CONFLICT (name) DO UPDATE SET late_verdicts = q.late_verdicts + 1
"""


def count_late_verdict(queue: str) -> None:
    """A worker wanted to write a verdict on a job that was freed meanwhile, and could not."""
    with connection.cursor() as cursor:
        cursor.execute(LATE, [queue])
