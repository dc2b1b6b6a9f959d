"""The machine that the figures belong to, and what its disk can do."""

import os
import platform
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

WRITES = 100


def describe() -> dict[str, str]:
    """Processor, cores, memory, system, date."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def fsync_ms(folder: Path) -> tuple[float, float]:
    """Median and 99th percentile of a write of 8 kB with fsync in that folder, in milliseconds."""
    path, times = folder / "fsync", []
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for _ in range(WRITES):
            began = time.perf_counter()
            os.write(fd, b"x" * 8192)
            os.fsync(fd)
            times.append((time.perf_counter() - began) * 1000)
    finally:
        os.close(fd)
        path.unlink()
    return statistics.median(times), sorted(times)[-2]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
