"""The declared queues: read from `settings.QUEUES`, checked, and turned into what rq wants.

Pure functions first, so that `bharatmart/settings.py` can use them while it is being read.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import cache
from math import inf
from typing import Any

from django.core.signals import setting_changed

from ..errors import UnknownQueue
from .backoff import Backoff, exponential, fixed
from .rate import Rate
from .redis_url import is_sentinel, parse_sentinel

DEFAULT_QUEUE = "default"
"""The name that rq's commands need when none is given; it refuses jobs."""

WORKER_TYPES: dict[str, tuple[str, ...]] = {
    "email": ("email", "webhook-out"),
    "order": ("order", "inventory-release", "manual-review", "reports"),
    "payment": ("payment", "payment-webhook", "payment-retry"),
}
"""The queues of each WORKER_TYPE; `all` means every declared queue."""

MODES = ("rq", "in-process", "none")
NOT_YET_BUILT = ("sqs", "oci-queue")
TUNED_BY_WORKER_VARIABLES = ("email", "order", "payment")


SCOPES = ("process", "global")
"""Whether `concurrency` counts the jobs of each process or of all together."""


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
    """Whether it answers the number of an attempt with seconds."""
    try:
        return all(0 <= float(function(attempt)) < inf for attempt in (1, 2, 30))
    except Exception:
        return False


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def suggest(word: str, known: Mapping[str, Any] | list[str] | tuple[str, ...]) -> str:
    """'Did you mean …?' when a known word is near, else the list of known words."""
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


def worker_mode(asked: str, redis_url: str) -> str:
    """The mode that WORKER_MODE means; ValueError with a sentence for a wrong one."""
    mode = {"": "rq" if redis_url else "in-process", "bull-queue": "rq"}.get(asked, asked)
    if mode in NOT_YET_BUILT:
        raise ValueError(f"{asked} is not built yet; expected one of {', '.join(MODES)}.")
    if mode not in MODES:
        raise ValueError(f"{asked!r} is unknown; expected one of {', '.join(MODES)}. {suggest(asked, MODES)}")
    return mode


def tuned_by_environment(
    declared: dict[str, dict[str, Any]], environ: Mapping[str, str]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """QUEUES with the overrides of WORKER_… and QUEUE_<NAME>_… applied, and the mistakes found in them."""
    tuned = {name: dict(options) for name, options in declared.items()}
    mistakes: list[str] = []
    for name, options in tuned.items():
        prefixes = [f"QUEUE_{name.upper().replace('-', '_')}_"]
        if name in TUNED_BY_WORKER_VARIABLES:
            prefixes.insert(0, "WORKER_")
        for prefix in prefixes:
            mistakes += _tune(options, prefix, environ)
    return tuned, sorted(set(mistakes))


def _tune(options: dict[str, Any], prefix: str, environ: Mapping[str, str]) -> list[str]:
    mistakes = []
    for suffix, option in (("CONCURRENCY", "concurrency"), ("MAX_ATTEMPTS", "attempts")):
        text = environ.get(prefix + suffix)
        if text and _is_number(text) and int(text) >= 1:
            options[option] = int(text)
        elif text:
            mistakes.append(f"{prefix}{suffix}: expected {EXPECTED[option][0]}, got {text!r}.")
    kind, delay = environ.get(prefix + "BACKOFF_TYPE"), environ.get(prefix + "BACKOFF_DELAY")
    makers = {"exponential": exponential, "fixed": fixed}
    if kind and kind not in makers:
        mistakes.append(f"{prefix}BACKOFF_TYPE: expected exponential or fixed, got {kind!r}.")
    elif delay and not _is_number(delay):
        mistakes.append(f"{prefix}BACKOFF_DELAY: expected whole milliseconds, got {delay!r}.")
    elif kind or delay:
        options["backoff"] = makers[kind or "exponential"](int(delay or "1000") / 1000)
    return mistakes


def rq_queues(declared: Mapping[str, Any], redis_url: str) -> dict[str, dict[str, Any]]:
    """What django-rq reads as RQ_QUEUES: every declared queue and the `default` that its commands need."""
    options = {**_rq_connection(redis_url), "SERIALIZER": "rq.serializers.JSONSerializer"}
    return {name: dict(options) for name in [*declared, DEFAULT_QUEUE]}


def _rq_connection(redis_url: str) -> dict[str, Any]:
    if not is_sentinel(redis_url):
        return {"URL": redis_url or "redis://127.0.0.1:6379/0"}
    address = parse_sentinel(redis_url)
    return {
        "SENTINELS": list(address.sentinels),
        "MASTER_NAME": address.master,
        "DB": address.db,
        "USERNAME": address.username,
        "PASSWORD": address.password,
        "SENTINEL_KWARGS": {"password": address.sentinel_password},
    }


@cache
def declared() -> dict[str, Queue]:
    """Every declared queue by name."""
    from django.conf import settings

    return {name: _queue(name, options) for name, options in settings.QUEUES.items()}


def _queue(name: str, options: Mapping[str, Any]) -> Queue:
    known = {option: value for option, value in options.items() if option in {field.name for field in fields(Queue)}}
    rate = Rate.parse(known["rate"]) if known.get("rate") else None
    return Queue(name=name, **{**known, "rate": rate})


def get(name: str) -> Queue:
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


def _forget(*, setting: str, **_: object) -> None:
    if setting == "QUEUES":
        declared.cache_clear()


setting_changed.connect(_forget)
