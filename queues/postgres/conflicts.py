"""Transactions that PostgreSQL gave up because of another one: they changed nothing and may simply be run again."""

import logging
import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

log = logging.getLogger(__name__)

DEADLOCK_DETECTED, SERIALIZATION_FAILURE = "40P01", "40001"
TIMES = 4
LONGEST_FIRST_PAUSE = 0.05

P = ParamSpec("P")
T = TypeVar("T")


def again_on_conflict(function: Callable[P, T]) -> Callable[P, T]:
    """Run it up to TIMES times while it ends in a deadlock or a serialization failure, with short random pauses.

    It must be safe to repeat, and opens its own transaction: inside a caller's one the error is raised at once.
    """

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        pause = LONGEST_FIRST_PAUSE
        for _ in range(TIMES - 1):
            try:
                return function(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or not is_conflict(error):
                    raise
                log.warning("PostgreSQL gave a transaction up, it is run again: %s", error)
            time.sleep(random.uniform(0, pause))
            pause *= 4
        return function(*args, **kwargs)

    return wrapped


def is_conflict(error: BaseException) -> bool:
    """Whether the error says that another transaction was in the way, and nothing else."""
    return getattr(error.__cause__, "sqlstate", "") in (DEADLOCK_DETECTED, SERIALIZATION_FAILURE)
