"""A job that raises what a test asks for, run once by hand."""

from collections.abc import Iterator
from typing import Any

import pytest

from queues import JobDefinition, job
from queues.definitions import registry
from queues.models import Job
from queues.testing import run_next

raised: list[BaseException] = []


@pytest.fixture
def raising() -> Iterator[JobDefinition]:
    """A job that raises the last of `raised`."""

    def throw() -> None:
        raise raised.pop()

    yield job(queue="order", name="jobapp.throw")(throw)
    registry.forget("jobapp.throw")
    raised.clear()


def run(definition: JobDefinition, **args: Any) -> Job:
    definition.enqueue(**args)
    ran = run_next(raises=False)
    assert ran is not None
    return ran


def seconds_until(job: Job) -> float:
    """How long it waits, counted from when its last attempt was written down: a little more than was asked for."""
    return (job.run_at - job.attempts.latest("pk").finished_at).total_seconds()
