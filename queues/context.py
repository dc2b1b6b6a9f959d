"""The job that this thread is running, if any."""

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ledger import Claim

current_job: ContextVar["Claim | None"] = ContextVar("current_job", default=None)


def current_subject() -> str:
    """What the running job is about; a job enqueued meanwhile inherits it."""
    claim = current_job.get()
    return claim.subject if claim else ""
