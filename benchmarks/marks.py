"""Marks: each job of a benchmark, of whichever system, leaves 24 bytes when it runs. Standard library only.

A mark is the job's number, the time, and the worker process (slot) that the harness started, as `<qdq`. All processes
append to the file BENCH_MARKS, which costs every system the same microsecond or two a job.
"""

import os
import struct
import time
from pathlib import Path
from typing import NamedTuple

FORM = struct.Struct("<qdq")


class Mark(NamedTuple):
    """One run of a job."""

    number: int
    at: float
    slot: int


class _Pen:
    """The open file of this process."""

    fd = -1
    slot = 0


def mark(number: int) -> None:
    """Tell that the job of this number has run, now."""
    if _Pen.fd < 0:
        _Pen.fd = os.open(os.environ["BENCH_MARKS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        _Pen.slot = int(os.environ.get("BENCH_SLOT", "0"))
    os.write(_Pen.fd, FORM.pack(number, time.time(), _Pen.slot))


def count(path: Path) -> int:
    """How many marks there are."""
    return path.stat().st_size // FORM.size if path.exists() else 0


def read(path: Path) -> list[Mark]:
    """All marks, in the order of their times."""
    return sorted((Mark(*fields) for fields in FORM.iter_unpack(path.read_bytes())), key=lambda mark: mark.at)
