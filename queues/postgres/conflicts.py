"""Transactions that PostgreSQL gave up because of another one: they changed nothing and may simply be run again."""

import logging
import random
import time
from collections.abc import Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

log = logging.getLogger(__name__)

DEADLOCK_DETECTED, SERIALIZATION_FAILURE = "40P01", "40001"
TIMES = 4
LONGEST_FIRST_PAUSE = 0.05

P = ParamSpec("P")
T = TypeVar("T")


def again_on_conflict(function: Callable[P, T]) -> Callable[P, T]:
    """Let each call be run again as `run_again` says. It must be safe to repeat, and open its own transaction."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except OperationalError as error:
            return run_again(partial(function, *args, **kwargs), error)

    return wrapped


def run_again(call: Callable[[], T], error: OperationalError) -> T:
    """Run a call again that ended in a deadlock or a serialization failure, up to TIMES in all, after random pauses.

    Any other error is raised, and inside a caller's transaction these, too.
    """
    pause = LONGEST_FIRST_PAUSE
    for _ in range(TIMES - 1):
        if connection.in_atomic_block or not is_conflict(error):
            break
        log.warning("PostgreSQL gave a transaction up, it is run again: %s", error)
        time.sleep(random.uniform(0, pause))
        pause *= 4
        try:
            return call()
        except OperationalError as again:
            error = again
    raise error


def is_conflict(error: BaseException) -> bool:
    """Whether the error says that another transaction was in the way, and nothing else."""
    return getattr(error.__cause__, "sqlstate", "") in (DEADLOCK_DETECTED, SERIALIZATION_FAILURE)
