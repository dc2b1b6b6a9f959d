"""What happens around every job. `MIDDLEWARE` is the whole list, outermost first."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.db import OperationalError, close_old_connections, connection, reset_queries

from ..context import current_job
from ..lifecycle.claim import Claim
from ..lifecycle.execution import Execution
from ..postgres.conflicts import run_again

log = logging.getLogger("queues.job")

CONNECTION_TRUSTED = 1.0
_checked = threading.local()

Call = Callable[[Execution], Any]
Middleware = Callable[[Call], Call]


def job_context(call: Call) -> Call:
    """Let what the job calls find it, so that jobs it enqueues are about the same subject."""

    def wrapped(execution: Execution) -> Any:
        token = current_job.set(execution)
        try:
            return call(execution)
        finally:
            current_job.reset(token)

    return wrapped


def logged(call: Call) -> Call:
    """One line when a job ends; arguments are ids and may be shown."""

    def wrapped(execution: Execution) -> Any:
        began = time.monotonic()
        try:
            result = call(execution)
        except BaseException as error:
            log.warning("%s: %s", _line(execution.claim, began), type(error).__name__)
            raise
        log.info("%s: completed", _line(execution.claim, began))
        return result

    return wrapped


def _line(claim: Claim, began: float) -> str:
    milliseconds = (time.monotonic() - began) * 1000
    return f"{claim.queue} {claim.name} #{claim.id} attempt {claim.attempt} {claim.args} {milliseconds:.0f} ms"


def fresh_connections(call: Call) -> Call:
    """Drop database connections that are broken or too old: after a job that failed, else once a second.

    Inside a transaction, as in the tests of people who write jobs, the connection is the caller's and stays.
    """

    def wrapped(execution: Execution) -> Any:
        if time.monotonic() - getattr(_checked, "at", 0.0) > CONNECTION_TRUSTED:
            _drop_old_connections()
        if settings.DEBUG:
            reset_queries()
        try:
            return call(execution)
        except BaseException:
            _drop_old_connections()
            raise

    return wrapped


def _drop_old_connections() -> None:
    if not connection.in_atomic_block:
        close_old_connections()
        _checked.at = time.monotonic()


def again_on_conflict(call: Call) -> Call:
    """Run a job again within its attempt if PostgreSQL gave its transaction up because of another one."""

    def wrapped(execution: Execution) -> Any:
        try:
            return call(execution)
        except OperationalError as error:
            return run_again(partial(call, execution), error)

    return wrapped


MIDDLEWARE: tuple[Middleware, ...] = (job_context, logged, fresh_connections, again_on_conflict)


def compose(call: Call) -> Call:
    """The call with all of MIDDLEWARE around it."""
    for middleware in reversed(MIDDLEWARE):
        call = middleware(call)
    return call
