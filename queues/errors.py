"""What a job may raise to say what should become of it, and what the engine raises at its callers."""

from datetime import timedelta
from math import isfinite

import psycopg
from django.db import DatabaseError, InterfaceError

LONGEST_WAIT = 365 * 24 * 3600.0


def seconds_of(wait: float | timedelta) -> float:
    """A wait in seconds, at most a year; ValueError for what is none."""
    seconds = wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
    if not isfinite(seconds):
        raise ValueError(f"expected seconds or a timedelta, got {wait!r}")
    return min(LONGEST_WAIT, seconds)


class JobControl(Exception):
    """Base of the exceptions by which a job controls what becomes of it."""


class Retry(JobControl):
    """Try again `after` seconds or a timedelta (None: the queue's back-off). The attempt is spent."""

    def __init__(self, reason: str = "retry asked for", *, after: float | timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = None if after is None else seconds_of(after)


class Snooze(JobControl):
    """Run again in `seconds` (or a timedelta); the attempt does not count."""

    def __init__(self, seconds: float | timedelta, reason: str = "not yet") -> None:
        super().__init__(reason)
        self.seconds = seconds_of(seconds)


class Cancel(JobControl):
    """There is nothing left to do: end the job as cancelled."""


class Permanent(JobControl):
    """No further attempt can help: end the job as failed at once."""


class DeadlineExceeded(BaseException):
    """The job's time is up. Raised in the middle of it; `except Exception` does not catch it."""


class JobArgumentError(TypeError):
    """The arguments do not fit the job."""


class UnknownJob(LookupError):
    """No job of that name is registered."""


class UnknownSchedule(LookupError):
    """No recurring job of that name is registered."""


class UnknownQueue(LookupError):
    """No queue of that name is declared in settings.QUEUES."""


class BrokerUnavailable(Exception):
    """The broker cannot be reached; jobs wait in PostgreSQL."""


class UnfitBroker(Exception):
    """The broker cannot carry jobs as it is; says what to change."""


def unforeseen(error: Exception) -> bool:
    """Whether it is no outage of PostgreSQL or the broker: something to show with its traceback."""
    return not isinstance(error, DatabaseError | InterfaceError | psycopg.Error | BrokerUnavailable)
