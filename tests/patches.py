"""Patches that tell when they test nothing: a replaced function that nobody called fails its test.

A refactoring that calls another name leaves such a patch behind; the test would pass whatever the code does.
"""

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest


class WatchedPatch(pytest.MonkeyPatch):
    """pytest's monkeypatch; `unreached` are the functions that were put somewhere and never called."""

    def __init__(self) -> None:
        super().__init__()
        self.unreached: set[str] = set()

    def setattr(self, target: Any, name: Any, *value: Any, raising: bool = True) -> None:  # type: ignore[override]
        """`setattr(owner, name, value)` or `setattr("module.name", value)`."""
        owner, *rest = (target, name, *value)
        label = owner if isinstance(owner, str) else f"{getattr(owner, '__name__', type(owner).__name__)}.{name}"
        if isinstance(rest[-1], FunctionType):
            rest[-1] = self._watched(rest[-1], label)
        super().setattr(owner, *rest, raising=raising)  # type: ignore[call-overload]  # one of the two forms

    def guard(self, target: Any, *name_and_value: Any) -> None:
        """The same for a function that notes or refuses what should not happen: it need not be called."""
        super().setattr(target, *name_and_value)

    def _watched(self, function: Callable[..., Any], label: str) -> Callable[..., Any]:
        self.unreached.add(label)

        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.unreached.discard(label)
            return function(*args, **kwargs)

        return watched
