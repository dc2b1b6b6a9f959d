"""What follows a job's end, written in the transaction that ends it: it exists if and only if the job has ended so.

A job ends by a verdict, a withdrawal, or the rescue of one that was asked to stop; each of these calls `write`. What
follows is declared above the ledger, which is given the rule at the start (`queues/apps.py`).
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..lifecycle.request import JobRequest
from ..lifecycle.verdict import Ended
from ..states import FINAL, JobState
from .enqueue import enqueue

Rule = Callable[[Ended], Sequence[JobRequest]]
"""The jobs that follow one that has ended. It must not raise: what cannot follow must not keep a job from ending."""


_rules: list[Rule] = []


def use(rule: Rule) -> None:
    """Ask this rule, and no other, from now on."""
    _rules[:] = [rule]


def of(ended: Ended) -> Sequence[JobRequest]:
    """The jobs that follow; none for a job that waits again."""
    return [request for rule in _rules for request in rule(ended)] if ended.state in FINAL else ()


def write(requests: Iterable[JobRequest]) -> None:
    """Enqueue what follows. Called in the transaction that ends the jobs."""
    enqueue(list(requests))


def write_for_rows(rows: Iterable[tuple[int, str, Any, str, str]]) -> None:
    """The same for rows of (id, name, args as JSON, subject, state) that the transaction has written."""
    ended = (
        Ended(job_id, name, json.loads(args), subject, JobState(state)) for job_id, name, args, subject, state in rows
    )
    write(request for one in ended for request in of(one))
