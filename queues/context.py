"""The job that this thread runs: what its function may call."""

from contextvars import ContextVar

from .lifecycle.execution import Execution

current_job: ContextVar[Execution | None] = ContextVar("current_job", default=None)


def progress(percent: float, note: str = "") -> None:
    """Report how far the running job is, 0 to 100, and in at most 200 characters what it is doing.

    Sends nothing by itself: the last report is written every QUEUE_REPORT seconds and with the verdict. Raises
    RuntimeError outside a running job and ValueError for a wrong percentage or note.
    """
    _here("progress()").set_progress(percent, note)


def cancelled() -> bool:
    """Whether the running job should stop: somebody asked it to, or it was given to another worker meanwhile.

    Sends nothing, and is at most about QUEUE_REPORT seconds late. Raises RuntimeError outside a running job.
    """
    return _here("job.cancelled()").stop_asked


def _here(what: str) -> Execution:
    execution = current_job.get()
    if execution is None:
        raise RuntimeError(f"{what} can be called only in a running job, in the thread that runs it")
    return execution


def current_subject() -> str:
    """What the running job is about; a job enqueued by it inherits the subject. Empty outside a job."""
    execution = current_job.get()
    return execution.claim.subject if execution else ""
