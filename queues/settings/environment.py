"""Environment variables that change settings.QUEUES: QUEUE_<NAME>_… for one queue, WORKER_… for three of them."""

from collections.abc import Mapping
from typing import Any

from .backoff import exponential, fixed
from .queue import EXPECTED

TUNED_BY_WORKER_VARIABLES = ("email", "order", "payment")
"""The queues that WORKER_CONCURRENCY and its like are for; the variables of one queue win over them."""

NUMBERS = (("CONCURRENCY", "concurrency"), ("MAX_ATTEMPTS", "attempts"))
BACKOFFS = {"exponential": exponential, "fixed": fixed}


def tuned_by_environment(
    declared: dict[str, dict[str, Any]], environ: Mapping[str, str]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """QUEUES with the variables applied, and a sentence for each variable that is wrong."""
    tuned = {name: dict(options) for name, options in declared.items()}
    mistakes: list[str] = []
    for name, options in tuned.items():
        prefixes = [f"QUEUE_{name.upper().replace('-', '_')}_"]
        if name in TUNED_BY_WORKER_VARIABLES:
            prefixes.insert(0, "WORKER_")
        for prefix in prefixes:
            mistakes += _apply_numbers(options, prefix, environ) + _apply_backoff(options, prefix, environ)
    return tuned, sorted(set(mistakes))


def _apply_numbers(options: dict[str, Any], prefix: str, environ: Mapping[str, str]) -> list[str]:
    mistakes = []
    for suffix, option in NUMBERS:
        text = environ.get(prefix + suffix)
        if text and _is_number(text) and int(text) >= 1:
            options[option] = int(text)
        elif text:
            mistakes.append(f"{prefix}{suffix}: expected {EXPECTED[option][0]}, got {text!r}.")
    return mistakes


def _apply_backoff(options: dict[str, Any], prefix: str, environ: Mapping[str, str]) -> list[str]:
    kind, delay = environ.get(prefix + "BACKOFF_TYPE"), environ.get(prefix + "BACKOFF_DELAY")
    if kind and kind not in BACKOFFS:
        return [f"{prefix}BACKOFF_TYPE: expected exponential or fixed, got {kind!r}."]
    if delay and not _is_number(delay):
        return [f"{prefix}BACKOFF_DELAY: expected whole milliseconds, got {delay!r}."]
    if kind or delay:
        options["backoff"] = BACKOFFS[kind or "exponential"](int(delay or "1000") / 1000)
    return []


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
