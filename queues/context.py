"""The jobs that this process is running, and the one of this thread; what a job's function may call."""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING
from uuid import UUID

from .lifecycle.execution import Running

if TYPE_CHECKING:
    from .ledger import Claim

current_job: ContextVar[Running | None] = ContextVar("current_job", default=None)

_running: dict[UUID, Running] = {}


def progress(percent: float, note: str = "") -> None:
    """Say how far the running job is, 0 to 100, and in at most 200 characters what it is doing.

    Costs no traffic: what was said last is written every QUEUE_REPORT seconds and with the verdict. Raises
    RuntimeError outside a running job and ValueError for what is no progress.
    """
    _here("progress()").tell(percent, note)


def cancelled() -> bool:
    """Whether the running job should stop: it was asked to, or it was given to another worker meanwhile.

    Costs no traffic, and is at most about QUEUE_REPORT seconds late. Raises RuntimeError outside a running job.
    """
    return _here("job.cancelled()").stop_asked


def _here(what: str) -> Running:
    running = current_job.get()
    if running is None:
        raise RuntimeError(f"{what} can be called only in a running job, in the thread that runs it")
    return running


def current_subject() -> str:
    """What the running job is about; a job enqueued meanwhile inherits it."""
    running = current_job.get()
    return running.claim.subject if running else ""


def began(claims: "Iterable[Claim]") -> None:
    """These jobs run in this process now."""
    _running.update({claim.token: Running(claim) for claim in claims})


def ended(claim: "Claim") -> None:
    """Its verdict is written, or came too late."""
    _running.pop(claim.token, None)


def running_of(claim: "Claim") -> Running:
    """What is known of this claim's run."""
    return _running.get(claim.token) or Running(claim)


def all_running() -> list[Running]:
    return list(_running.values())
