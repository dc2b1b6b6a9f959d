"""Waiting out an outage of PostgreSQL or the broker, with growing pauses."""

import logging
import math
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from ..errors import BrokerUnavailable

log = logging.getLogger(__name__)

OUTAGE: tuple[type[Exception], ...] = (OperationalError, InterfaceError, BrokerUnavailable)
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
START = 60.0
"""Seconds for which a process that is starting waits; then it ends, and whoever started it may try again."""

T = TypeVar("T")


def restarted_since(moment: float) -> bool:
    """Whether PostgreSQL was started after that moment of its own clock, in seconds since 1970."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_postmaster_start_time() > to_timestamp(%s)", [moment])
        return bool(cursor.fetchone()[0])


def wait_out(
    action: Callable[[], T],
    what: str,
    *,
    errors: tuple[type[Exception], ...] = OUTAGE,
    within: float = math.inf,
    stopped: Callable[[], bool] = lambda: False,
) -> T:
    """Do it again until it ends without one of these errors; after `within` seconds, or once stopped, raise the last.

    Each failure is logged: `what` has to wait. Outside of transactions only; the connection is made anew.
    """
    until, pause = time.monotonic() + within, FIRST_PAUSE
    while True:
        try:
            return action()
        except errors as error:
            if connection.in_atomic_block or stopped() or time.monotonic() + pause > until:
                raise
            log.warning("%s has to wait: %s", what, error)
        connection.close()
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 2)
