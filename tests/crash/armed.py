"""Makes a real worker die at a point: the point's function is wrapped in the processes that tests start.

A test arms a point by writing its name into the file CRASH_AT. The first process that reaches it writes its pid into
the file beside it and is killed by SIGKILL; nobody else dies there.
"""

import functools
import importlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from queues.ledger import Admitted
from queues.lifecycle.claim import Claim
from queues.lifecycle.verdict import Finished
from queues.supervisor import supervised

from .points import FOLLOW_UPS, POINTS, Point

AT = Path(os.environ.get("CRASH_AT", os.devnull))


def arm_all() -> None:
    pytest.MonkeyPatch().setattr(supervised, "SHORT_LIFE", 0.0)  # a process that dies on purpose is replaced at once
    for point in [*POINTS, *FOLLOW_UPS]:
        arm(point)


def arm(point: Point) -> None:
    """Wrap the function at the place where its callers look it up."""
    module, _, path = point.target.partition(":")
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    setattr(owner, name, dying(point, getattr(owner, name)))


def dying(point: Point, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if point.when == "before":
            _die_at(point, args)
        result = function(*args, **kwargs)
        if point.when == "after":
            _die_at(point, (*args, result))
        return result

    return wrapped


def _die_at(point: Point, values: tuple[Any, ...]) -> None:
    if AT.read_text() == point.name and (not point.job or point.job in _jobs_in(values)) and _first_here():
        os.kill(os.getpid(), signal.SIGKILL)


def _jobs_in(values: tuple[Any, ...]) -> set[str]:
    """The names of the jobs that a call is about."""
    flat = [part for value in values for part in (value if isinstance(value, list) else [value])]
    claims = [part.execution.claim if isinstance(part, Finished) else part for part in flat]
    claims += [claim for value in values if isinstance(value, Admitted) for claim in value.claims]
    return {claim.name for claim in claims if isinstance(claim, Claim)}


def _first_here() -> bool:
    try:
        marker = os.open(AT.with_suffix(".pid"), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        return False
    os.write(marker, str(os.getpid()).encode())
    return True
