"""Fixtures of the frame's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.frame.clones import Clone

MakeClone = Callable[..., Clone]


@pytest.fixture
def make_clone(tmp_path: Path) -> Iterator[MakeClone]:
    """Make clones whose servers are gone after the test."""
    clones: list[Clone] = []

    def make(idle: float = 60.0) -> Clone:
        clones.append(Clone(tmp_path / f"clone{len(clones)}", idle))
        return clones[-1]

    yield make
    for clone in clones:
        clone.remove()


@pytest.fixture(scope="session")
def lasting_clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    clone = Clone(tmp_path_factory.mktemp("lasting"), idle=300.0)
    yield clone
    clone.remove()


@pytest.fixture
def running_clone(lasting_clone: Clone) -> Clone:
    """A clone whose servers run at the beginning; the same for many tests."""
    if not (lasting_clone.postgres.pid() and lasting_clone.valkey.pid()):
        lasting_clone.start()
    return lasting_clone


@pytest.fixture
def clone(make_clone: MakeClone) -> Clone:
    return make_clone()
