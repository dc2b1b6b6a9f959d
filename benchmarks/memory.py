"""Memory of processes, by PSS: what they share is divided among those who share it."""

import contextlib
from collections.abc import Iterable

import psutil


def pss_mb(processes: Iterable[psutil.Process]) -> float:
    """Megabytes of all of them together."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().pss
    return total / 2**20
