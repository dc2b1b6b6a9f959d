"""A guard, and the test that misses it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """`guard` in `file` becomes `without`; then `test` fails, and its failure shows `red`."""

    name: str
    file: str
    guard: str
    without: str
    test: str
    red: str
