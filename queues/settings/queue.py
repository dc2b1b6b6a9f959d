"""A declared queue: its options, the mistakes in settings.QUEUES, and the queue of a name or of a worker type."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import cache
from math import inf
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed

from ..errors import UnknownQueue
from .backoff import Backoff, exponential
from .rate import Rate

DEFAULT_QUEUE = "default"
"""The queue that rq's commands take when none is named; no job may be enqueued there."""

WORKER_TYPES: dict[str, tuple[str, ...]] = {
    "email": ("email", "webhook-out"),
    "order": ("order", "inventory-release", "manual-review", "reports"),
    "payment": ("payment", "payment-webhook", "payment-retry"),
}
"""The queues of each WORKER_TYPE; `all` means every declared queue."""

SCOPES = ("process", "global")
"""`concurrency` limits the jobs of each process, or of all processes together."""


@dataclass(frozen=True)
class Queue:
    """One declared queue. Times are in seconds."""

    name: str
    concurrency: int = 1
    attempts: int = 3
    backoff: Backoff = field(default_factory=lambda: exponential(1))
    timeout: float = 60
    cpu: bool = False
    scope: str = "process"
    rate: Rate | None = None
    keep_completed: timedelta = timedelta(days=7)
    keep_failed: timedelta = timedelta(days=30)
    keep_completed_count: int | None = None
    keep_failed_count: int | None = None


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a declaration, and what would be right."""

    id: str
    text: str
    hint: str


EXPECTED: dict[str, tuple[str, Any]] = {
    "concurrency": ("a whole number of at least 1", lambda v: _is_int(v) and v >= 1),
    "attempts": ("a whole number of at least 1", lambda v: _is_int(v) and v >= 1),
    "backoff": (
        "exponential(seconds), fixed(seconds) or a function of the attempt's number",
        lambda v: callable(v) and _is_backoff(v),
    ),
    "timeout": ("seconds, more than 0", lambda v: (_is_int(v) or isinstance(v, float)) and 0 < v < inf),
    "cpu": ("True or False", lambda v: isinstance(v, bool)),
    "scope": ("'process' or 'global'", lambda v: v in SCOPES),
    "rate": ("a rate such as '100/s', '30/m' or '5/h', or None", lambda v: v is None or _is_rate(v)),
    "keep_completed": ("a timedelta", lambda v: isinstance(v, timedelta)),
    "keep_failed": ("a timedelta", lambda v: isinstance(v, timedelta)),
    "keep_completed_count": ("a whole number of at least 0, or None", lambda v: v is None or (_is_int(v) and v >= 0)),
    "keep_failed_count": ("a whole number of at least 0, or None", lambda v: v is None or (_is_int(v) and v >= 0)),
}


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_rate(value: object) -> bool:
    try:
        Rate.parse(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _is_backoff(function: Any) -> bool:
    """Whether it returns seconds for the number of an attempt."""
    try:
        return all(0 <= float(function(attempt)) < inf for attempt in (1, 2, 30))
    except Exception:
        return False


def suggest(word: str, known: Mapping[str, Any] | list[str] | tuple[str, ...]) -> str:
    """'Did you mean …?' for a word that resembles a known one, else the list of the known ones."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."


def mistakes_in(declared: object) -> list[Mistake]:
    """Every mistake in a QUEUES setting."""
    if not isinstance(declared, Mapping) or not declared:
        return [Mistake("queues.E001", f"QUEUES must be a dict of queues, got {declared!r}.", "See docs/queues.md.")]
    found: list[Mistake] = []
    for name, options in declared.items():
        if not isinstance(name, str) or not name.replace("-", "").isalnum() or name == DEFAULT_QUEUE:
            hint = "Use letters, digits and '-'; 'default' is taken."
            found.append(Mistake("queues.E002", f"QUEUES: {name!r} cannot name a queue.", hint))
        if not isinstance(options, Mapping):
            found.append(
                Mistake("queues.E003", f"QUEUES[{name!r}] must be a dict, got {options!r}.", "{} takes all defaults.")
            )
            continue
        found += _mistakes_in_options(name, options)
    return found


def _mistakes_in_options(queue: object, options: Mapping[Any, Any]) -> list[Mistake]:
    found = []
    for option, value in options.items():
        if option not in EXPECTED:
            text = f"QUEUES[{queue!r}] has an unknown option {option!r}."
            found.append(Mistake("queues.E004", text, suggest(str(option), EXPECTED)))
        elif not EXPECTED[option][1](value):
            text = f"QUEUES[{queue!r}][{option!r}]: expected {EXPECTED[option][0]}, got {value!r}."
            found.append(Mistake("queues.E005", text, "See docs/queues.md."))
    return found


@cache
def declared() -> dict[str, Queue]:
    """Every declared queue by name."""
    return {name: _queue(name, options) for name, options in settings.QUEUES.items()}


def _queue(name: str, options: Mapping[str, Any]) -> Queue:
    known = {option: value for option, value in options.items() if option in {field.name for field in fields(Queue)}}
    rate = Rate.parse(known["rate"]) if known.get("rate") else None
    return Queue(name=name, **{**known, "rate": rate})


def queue_named(name: str) -> Queue:
    """The queue of that name; UnknownQueue with a suggestion if it is not declared."""
    try:
        return declared()[name]
    except KeyError:
        raise UnknownQueue(f"no queue named {name!r} is declared. {suggest(name, list(declared()))}") from None


def queues_of(worker_type: str) -> list[str]:
    """The declared queues that a worker of this type serves; UnknownQueue for an unknown type."""
    if worker_type == "all":
        return list(declared())
    if worker_type not in WORKER_TYPES:
        raise UnknownQueue(f"no worker type {worker_type!r}. {suggest(worker_type, [*WORKER_TYPES, 'all'])}")
    return [name for name in WORKER_TYPES[worker_type] if name in declared()]


def _clear_cache(*, setting: str, **_: object) -> None:
    if setting == "QUEUES":
        declared.cache_clear()


setting_changed.connect(_clear_cache)
