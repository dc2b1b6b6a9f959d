"""The gateway's own book: an append-only file of JSON lines, one per effect, on disk before anybody is told."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class BookInUse(Exception):
    """Another gateway writes into this book."""


class BookDamaged(Exception):
    """A line of the book is not an entry."""


class Book:
    """Every effect since the file began, in order. Not thread-safe: its bank writes under a lock."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises OSError, BookInUse, BookDamaged."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise BookInUse(f"{path} is the book of another gateway that is running") from None
        self._drop_torn_line()
        self.entries = [_parse(line, number, path) for number, line in enumerate(self._lines(), start=1)]

    def append(self, entry: Entry) -> None:
        """Write one effect; it has happened when this returns."""
        self._file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.entries.append(entry)

    def close(self) -> None:
        self._file.close()

    def _lines(self) -> list[bytes]:
        self._file.seek(0)
        return self._file.read().splitlines()

    def _drop_torn_line(self) -> None:
        """A crash in the middle of a write leaves half a line; nobody was told of that effect."""
        self._file.seek(0)
        content = self._file.read()
        self._file.truncate(content.rfind(b"\n") + 1)


def _parse(line: bytes, number: int, path: Path) -> Entry:
    try:
        entry = json.loads(line)
        if not isinstance(entry, dict) or "effect" not in entry:
            raise ValueError
    except ValueError:
        raise BookDamaged(f"{path}, line {number}: expected a JSON object with an effect") from None
    return entry
