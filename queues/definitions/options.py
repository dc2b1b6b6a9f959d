"""What each option of `@job(...)` and `.using(...)` must be."""

from collections.abc import Callable
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, TypedDict

from ..lifecycle.request import RunAfter
from .event import Event

LOWEST_PRIORITY, HIGHEST_PRIORITY = -32_768, 32_767


class Usage(TypedDict, total=False):
    """What `.using(...)` may change."""

    run_after: RunAfter
    key: str
    priority: int
    queue_name: str
    subject: str


def _is_moment(value: object) -> bool:
    if isinstance(value, datetime):
        return value.tzinfo is not None
    if isinstance(value, timedelta) or value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_priority(value: object) -> bool:
    is_int = isinstance(value, int) and not isinstance(value, bool)
    return is_int and LOWEST_PRIORITY <= value <= HIGHEST_PRIORITY  # type: ignore[operator]  # an int by now


EXPECTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "queue": ("the name of a queue", lambda v: isinstance(v, str)),
    "queue_name": ("the name of a queue", lambda v: isinstance(v, str)),
    "name": ("text", lambda v: isinstance(v, str)),
    "on": ("an Event or a tuple of them", lambda v: all(isinstance(event, Event) for event in as_tuple(v))),
    "withdraw_on": ("an Event or a tuple of them", lambda v: all(isinstance(event, Event) for event in as_tuple(v))),
    "run_after": ("a timedelta, seconds or an aware datetime", _is_moment),
    "key": ("text", lambda v: isinstance(v, str)),
    "subject": ("text", lambda v: isinstance(v, str)),
    "on_failed": ("a job or None", lambda v: v is None or hasattr(v, "enqueue")),
    "cpu": ("True or False", lambda v: isinstance(v, bool)),
    "priority": (f"a whole number from {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}", _is_priority),
    "cron": ("text", lambda v: isinstance(v, str)),
    "every": ("seconds, at least 1", lambda v: v is None or (_is_moment(v) and isinstance(v, int | float) and v >= 1)),
}


def as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def wrong_values(options: Any) -> dict[str, str]:
    """What is wrong with the values of known options: expected and got, by option."""
    return {
        option: f"expected {EXPECTED[option][0]}, got {value!r}"
        for option, value in options.items()
        if option in EXPECTED and not EXPECTED[option][1](value)
    }
