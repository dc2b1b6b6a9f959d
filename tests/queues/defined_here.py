"""A job whose function a test writes itself, for one run of the kit."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from queues import JobDefinition, job
from queues.definitions import registry

NAME = "jobapp.defined_here"


@pytest.fixture
def define() -> Iterator[Callable[..., JobDefinition]]:
    """Make a job of a function, with these options; it is forgotten after the test."""

    def declare(function: Callable[..., Any], **options: Any) -> JobDefinition:
        return job(**{"queue": "order", "name": NAME, **options})(function)

    yield declare
    registry.forget(NAME)
