"""Processor time of workers and servers, so that one sees who spends it."""

import contextlib
from collections.abc import Callable, Iterable

import psutil

Sample = dict[str, float]


def seconds(processes: Iterable[psutil.Process]) -> float:
    """Of all of them, and of their children that have ended."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def tree(pid: int | None) -> list[psutil.Process]:
    """The process and all below it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def sample(parts: dict[str, Callable[[], list[psutil.Process]]]) -> Sample:
    """Seconds that each part has spent so far."""
    return {name: seconds(processes()) for name, processes in parts.items()}
