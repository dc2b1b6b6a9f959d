"""Interrupting another thread: raise an exception in it, cancel its query, show its stack; and clean up afterwards."""

import ctypes
import gc
import logging
import sys
import threading
import traceback
from collections.abc import Iterable
from types import FrameType
from typing import Any

import psycopg
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

log = logging.getLogger(__name__)

SHARED_LOCKS = {"logging", "importlib._bootstrap", "importlib._bootstrap_external"}
CANCEL_TIMEOUT = 1.0

_here = threading.local()


def raise_in(thread: int, exception: type[BaseException] | None) -> None:
    """Have the exception raised in the thread, as soon as it runs Python; None takes back what has not come yet."""
    asked = ctypes.py_object(exception) if exception else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), asked)


def may_hold_shared_lock(thread: int) -> bool:
    """Whether the thread is in code that takes locks of the whole process, which an exception might leave locked."""
    return any(frame.f_globals.get("__name__") in SHARED_LOCKS for frame in frames_of(thread))


def stack_of(thread: int) -> str:
    """Where the thread is, as text; without the values of variables."""
    frames = frames_of(thread)
    stack = traceback.StackSummary.extract((frame, frame.f_lineno) for frame in reversed(frames))
    return "It hangs at (most recent call last):\n" + "".join(stack.format()) if frames else ""


def frames_of(thread: int) -> list[FrameType]:
    """The calls that the thread is in, the innermost first; none if it has ended. No garbage is collected meanwhile.

    In Python 3.11 a collection may begin while the object of a frame is made. It may run Python code and so let the
    other thread run, which leaves that frame: then the object points to freed memory (a segmentation fault), or both
    threads wait for each other (https://github.com/python/cpython/issues/106883).
    """
    frames: list[FrameType] = []
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        frame = sys._current_frames().get(thread)
        while frame is not None:
            frames.append(frame)
            frame = frame.f_back
    finally:
        if was_enabled:
            gc.enable()
    return frames


def connections_here() -> list[BaseDatabaseWrapper]:
    """This thread's connections, looked up once: every run of a job asks for them."""
    if not hasattr(_here, "connections"):
        _here.connections = connections.all()
    found: list[BaseDatabaseWrapper] = _here.connections
    return found


def cancel_queries(wrappers: Iterable[BaseDatabaseWrapper]) -> None:
    """Have PostgreSQL end what it does for these connections, which another thread may be waiting for.

    psycopg waits in C, where no exception comes in.
    """
    for wrapper in wrappers:
        if isinstance(wrapper.connection, psycopg.Connection):
            _cancel_query(wrapper.connection)


def _cancel_query(raw: psycopg.Connection[Any]) -> None:
    try:
        if raw.pgconn.transaction_status == TransactionStatus.ACTIVE:
            raw.cancel_safe(timeout=CANCEL_TIMEOUT)
    except psycopg.Error as error:
        log.debug("a query could not be cancelled: %s", error)


def drop_connections() -> None:
    """Forget this thread's database connections, which may have been left in the middle of anything.

    Django's wrappers go too: they may believe in a transaction that has ended.
    """
    vars(_here).clear()
    for wrapper in connections.all(initialized_only=True):
        raw = wrapper.connection
        del connections[wrapper.alias]
        if isinstance(raw, psycopg.Connection):
            _cancel_query(raw)
            raw.close()
