"""A job whose function a test writes itself, for one run of the kit."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from queues import JobDefinition, job, registry

NAME = "jobapp.defined_here"


@pytest.fixture
def define() -> Iterator[Callable[[Callable[..., Any]], JobDefinition]]:
    """Make a job of a function; it is forgotten after the test."""
    yield job(queue="order", name=NAME)
    registry.forget(NAME)
