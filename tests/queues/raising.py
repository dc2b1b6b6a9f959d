"""A job that raises what a test asks for, run once by hand."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from queues import JobDefinition, job, registry
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
    return (job.run_at - timezone.now()).total_seconds()
