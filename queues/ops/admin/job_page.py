"""How a job and its attempts look in the admin."""

import json

from django.utils.html import format_html
from django.utils.safestring import SafeString

from ...models import Attempt, Job
from ...states import JobState
from .lists import warned

COLOURS = {
    JobState.WAITING: "#6b7280",
    JobState.ACTIVE: "#2563eb",
    JobState.COMPLETED: "#15803d",
    JobState.FAILED: "#b91c1c",
    JobState.CANCELLED: "#a16207",
}


def state(job: Job) -> SafeString:
    """The state in its colour; of a running job also how far it is, and whether it was asked to stop."""
    told = format_html('<b style="color:{}">{}</b>', COLOURS[JobState(job.state)], job.state)
    if job.state != JobState.ACTIVE:
        return told
    asked = " asked to stop" if job.cancel_asked_at else ""
    return format_html("{}{} {}", told, asked, progress(job))


def progress(job: Job) -> SafeString | str:
    """A small bar with what the job said last; empty if it said nothing."""
    if job.progress is None:
        return ""
    bar = '<progress max="100" value="{0}" style="width:6em"></progress> {0} % {1}'
    return format_html(bar, job.progress, job.progress_note)


def suspect(job: Job) -> SafeString | str:
    return warned("yes: next runs alone in a process of its own") if job.suspect else "no"


def counted(jobs: int) -> str:
    return "1 job" if jobs == 1 else f"{jobs} jobs"


def left(jobs: int, needed: str) -> str:
    """What is said of chosen jobs for which the act was not meant."""
    if jobs == 1:
        return f"1 job was left as it is: it was not {needed}, or its key lives in another job."
    return f"{jobs} jobs were left as they are: they were not {needed}, or their key lives in another job."


def result(job: Job) -> SafeString | str:
    if job.result is None:
        return ""
    text = json.dumps(job.result, indent=2, ensure_ascii=False)
    return format_html("<pre style='white-space:pre-wrap'>{}</pre>", text)


def error(attempt: Attempt) -> SafeString | str:
    return _unfolds(attempt.error, attempt.traceback)


def log(attempt: Attempt) -> SafeString | str:
    lines = attempt.log.count("\n") + 1
    return _unfolds(f"{lines} line{'s' if lines > 1 else ''}", attempt.log) if attempt.log else ""


def _unfolds(summary: str, text: str) -> SafeString | str:
    if not text:
        return summary
    return format_html(
        "<details><summary>{}</summary><pre style='white-space:pre-wrap'>{}</pre></details>", summary, text
    )
