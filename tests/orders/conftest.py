from collections.abc import Iterator

import pytest

from tests.web import Web


@pytest.fixture
def web() -> Iterator[Web]:
    """Another system, on a port of its own."""
    with Web() as web:
        yield web
