"""What `ledger.enqueue` takes: a job to be written."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

RunAfter = datetime | timedelta | float | None
"""When a job may run: an aware moment, a delay, a delay in seconds, or at once."""


@dataclass(frozen=True)
class JobRequest:
    """A job to be written, its arguments already checked."""

    name: str
    queue: str
    args: dict[str, Any]
    subject: str = ""
    key: str | None = None
    priority: int = 0
    run_after: RunAfter = None
