"""Verdicts: what became of an attempt, and what has ended."""

from typing import Any, NamedTuple

from ..states import JobState, Outcome
from .execution import Execution


class Verdict(NamedTuple):
    """What becomes of a claimed job: its next state, and how the attempt ended.

    A job that was asked to stop becomes cancelled instead, unless it completed. `wait`: seconds until the next attempt.
    `lost_database`: what failed was its connection to PostgreSQL.
    """

    state: JobState
    outcome: Outcome
    error: str = ""
    traceback: str = ""
    wait: float = 0.0
    attempt_not_counted: bool = False
    crashed: bool = False
    lost_database: bool = False
    result: Any = None


COMPLETED = Verdict(JobState.COMPLETED, Outcome.COMPLETED)


def released(reason: str, *, wait: float = 0.0) -> Verdict:
    """The job waits again as if it had not been claimed."""
    return Verdict(JobState.WAITING, Outcome.GIVEN_BACK, error=reason, wait=wait, attempt_not_counted=True)


class Finished(NamedTuple):
    """An execution and its verdict."""

    execution: Execution
    verdict: Verdict


class Ended(NamedTuple):
    """A job that has reached a final state: completed, failed or cancelled."""

    id: int
    name: str
    args: dict[str, Any]
    subject: str
    state: JobState
