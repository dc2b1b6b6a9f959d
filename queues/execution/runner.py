"""Runs one claimed job and judges what became of it."""

import logging
import traceback
from collections.abc import Iterator
from typing import Any

from django.db import InterfaceError, OperationalError

from .. import settings as queue_settings
from ..context import running_of
from ..definitions import registry
from ..definitions.result import why_not_kept
from ..errors import Cancel, DeadlineExceeded, Permanent, Retry, Snooze, seconds_of
from ..ledger import COMPLETED, Claim, Verdict
from ..settings.backoff import exponential
from ..states import JobState, Outcome
from .middleware import within

log = logging.getLogger(__name__)

LONE_CRASHES_UNTIL_DEAD = 3

DEFAULT_BACKOFF = exponential(1)


def run(claim: Claim) -> Verdict:
    """Call the job's function inside the middleware; the verdict says what becomes of the job."""
    try:
        returned = _call_within(claim)
    except BaseException as error:  # a job that calls sys.exit() must not take its thread along
        return judge(claim, error)
    return COMPLETED if returned is None else COMPLETED._replace(result=_result(claim, returned))


def _call(claim: Claim) -> Any:
    return registry.get(claim.name).function(**claim.args)


_call_within = within(_call)


def _result(claim: Claim, returned: object) -> Any:
    """What of it the ledger keeps; the job is completed in any case, and its log says what was not kept."""
    refused = why_not_kept(returned)
    if not refused:
        return returned
    log.warning("the result of %s #%d is not kept: %s", claim.name, claim.id, refused)
    running_of(claim).log.add(f"its result is not kept: {refused}")
    return None


def judge(claim: Claim, error: BaseException) -> Verdict:
    """What an exception means for the job: errors say what they mean, unknown ones are tried again."""
    told = _told(error)
    match error:
        case Snooze():
            return Verdict(JobState.WAITING, Outcome.SNOOZED, error=told, wait=error.seconds, attempt_given_back=True)
        case Cancel():
            return Verdict(JobState.CANCELLED, Outcome.CANCELLED, error=told)
        case Permanent():
            return Verdict(JobState.FAILED, Outcome.FAILED, error=told, traceback=_traceback(error))
    if _passed_deadline(error):
        return judge_timeout(claim, _traceback(error))
    lost, trace = _lost_database(error), _traceback(error)
    if claim.attempt >= claim.max_attempts:
        return Verdict(JobState.FAILED, Outcome.FAILED, error=told, traceback=trace, lost_database=lost)
    wait = error.after if isinstance(error, Retry) and error.after is not None else _back_off(claim)
    return Verdict(JobState.WAITING, Outcome.RETRY, error=told, traceback=trace, wait=wait, lost_database=lost)


def judge_timeout(claim: Claim, trace: str = "") -> Verdict:
    """The job did not end before its deadline: a spent attempt."""
    told = f"timed out after {queue_settings.get(claim.queue).timeout:g} s"
    if claim.attempt >= claim.max_attempts:
        return Verdict(JobState.FAILED, Outcome.TIMED_OUT, error=told, traceback=trace)
    return Verdict(JobState.WAITING, Outcome.TIMED_OUT, error=told, traceback=trace, wait=_back_off(claim))


def _passed_deadline(error: BaseException | None) -> bool:
    """Whether the deadline is behind the error: what a job raises while it is interrupted says nothing about it."""
    return any(isinstance(behind, DeadlineExceeded) for behind in _behind(error))


def _lost_database(error: BaseException) -> bool:
    """Whether a connection to PostgreSQL that was lost, or could not be made, may be behind the error."""
    return any(isinstance(behind, OperationalError | InterfaceError) for behind in _behind(error))


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__


def judge_crash(claim: Claim, how: str) -> Verdict:
    """A job took its own process down: the attempt is given back, the crash counts; the third is the last."""
    told = f"its process {how}"
    if claim.lone_crashes + 1 >= LONE_CRASHES_UNTIL_DEAD:
        error = f"{told}; crashed {LONE_CRASHES_UNTIL_DEAD} times alone"
        return Verdict(JobState.FAILED, Outcome.CRASHED, error=error, crashed=True)
    return Verdict(
        JobState.WAITING, Outcome.CRASHED, error=told, wait=_back_off(claim), attempt_given_back=True, crashed=True
    )


def given_back(reason: str, *, wait: float = 0.0) -> Verdict:
    """The job goes back as if it had not been claimed."""
    return Verdict(JobState.WAITING, Outcome.GIVEN_BACK, error=reason, wait=wait, attempt_given_back=True)


def _back_off(claim: Claim) -> float:
    """The queue's back-off; a declared function that fails must not cost the verdict."""
    try:
        return max(0.0, seconds_of(queue_settings.get(claim.queue).backoff(claim.attempt)))
    except Exception:
        log.exception("the back-off of queue %s failed", claim.queue)
        return DEFAULT_BACKOFF(claim.attempt)


def _told(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}".rstrip(": ")
    except Exception:
        return type(error).__name__


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
