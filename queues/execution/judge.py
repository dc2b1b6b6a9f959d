"""What an error, a passed deadline or a crash means for the job."""

import logging
import traceback
from collections.abc import Iterator

from django.db import InterfaceError, OperationalError

from ..errors import Cancel, DeadlineExceeded, Permanent, Retry, Snooze, seconds_of
from ..lifecycle.execution import Execution
from ..lifecycle.verdict import Verdict
from ..settings import exponential
from ..states import JobState, Outcome

log = logging.getLogger(__name__)

LONE_CRASHES_UNTIL_DEAD = 3

DEFAULT_BACKOFF = exponential(1)


def judge(execution: Execution, error: BaseException) -> Verdict:
    """What an exception means for the job: the engine's own errors say what they mean, unknown ones are retried."""
    claim, text = execution.claim, _text_of(error)
    match error:
        case Snooze():
            return Verdict(JobState.WAITING, Outcome.SNOOZED, error=text, wait=error.seconds, attempt_not_counted=True)
        case Cancel():
            return Verdict(JobState.CANCELLED, Outcome.CANCELLED, error=text)
        case Permanent():
            return Verdict(JobState.FAILED, Outcome.FAILED, error=text, traceback=_traceback(error))
    if _passed_deadline(error):
        return judge_timeout(execution, _traceback(error))
    lost, trace = _lost_database(error), _traceback(error)
    if claim.attempt >= claim.max_attempts:
        return Verdict(JobState.FAILED, Outcome.FAILED, error=text, traceback=trace, lost_database=lost)
    wait = error.after if isinstance(error, Retry) and error.after is not None else _back_off(execution)
    return Verdict(JobState.WAITING, Outcome.RETRY, error=text, traceback=trace, wait=wait, lost_database=lost)


def judge_timeout(execution: Execution, trace: str = "") -> Verdict:
    """The job did not end before its deadline: a spent attempt."""
    claim, text = execution.claim, f"timed out after {execution.queue.timeout:g} s"
    if claim.attempt >= claim.max_attempts:
        return Verdict(JobState.FAILED, Outcome.TIMED_OUT, error=text, traceback=trace)
    return Verdict(JobState.WAITING, Outcome.TIMED_OUT, error=text, traceback=trace, wait=_back_off(execution))


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


def judge_crash(execution: Execution, how: str) -> Verdict:
    """A job took its own process down: the attempt does not count, but the crash does; the third is the last."""
    claim, text = execution.claim, f"its process {how}"
    if claim.lone_crashes + 1 >= LONE_CRASHES_UNTIL_DEAD:
        error = f"{text}; crashed {LONE_CRASHES_UNTIL_DEAD} times alone"
        return Verdict(JobState.FAILED, Outcome.CRASHED, error=error, crashed=True)
    return Verdict(
        JobState.WAITING, Outcome.CRASHED, error=text, wait=_back_off(execution), attempt_not_counted=True, crashed=True
    )


def _back_off(execution: Execution) -> float:
    """The queue's back-off; a declared function that fails must not cost the verdict."""
    try:
        return max(0.0, seconds_of(execution.queue.backoff(execution.claim.attempt)))
    except Exception:
        log.exception("the back-off of queue %s failed", execution.queue.name)
        return DEFAULT_BACKOFF(execution.claim.attempt)


def _text_of(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}".rstrip(": ")
    except Exception:
        return type(error).__name__


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
