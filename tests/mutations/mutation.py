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

    def taken_from(self, text: str) -> str:
        """The file's text without the guard; AssertionError if it does not stand there exactly once."""
        assert text.count(self.guard) == 1, f"{self.file} has {text.count(self.guard)} x {self.guard!r}"
        return text.replace(self.guard, self.without)
