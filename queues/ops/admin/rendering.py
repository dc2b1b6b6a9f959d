"""Rendering of jobs and their attempts in the admin."""

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


def state_badge(job: Job) -> SafeString:
    """The state in its colour; for a running job also its progress, and whether it was asked to stop."""
    badge = format_html('<b style="color:{}">{}</b>', COLOURS[JobState(job.state)], job.state)
    if job.state != JobState.ACTIVE:
        return badge
    asked = " asked to stop" if job.cancel_asked_at else ""
    return format_html("{}{} {}", badge, asked, progress_bar(job))


def progress_bar(job: Job) -> SafeString | str:
    """The last reported progress as a small bar with its note; empty if none was reported."""
    if job.progress is None:
        return ""
    bar = '<progress max="100" value="{0}" style="width:6em"></progress> {0} % {1}'
    return format_html(bar, job.progress, job.progress_note)


def suspect(job: Job) -> SafeString | str:
    return warned("yes: next runs alone in a process of its own") if job.suspect else "no"


def job_count(jobs: int) -> str:
    return "1 job" if jobs == 1 else f"{jobs} jobs"


def unchanged(jobs: int, needed: str) -> str:
    """The message about selected jobs that the action could not change."""
    if jobs == 1:
        return f"1 job was left as it is: it was not {needed}, or its key lives in another job."
    return f"{jobs} jobs were left as they are: they were not {needed}, or their key lives in another job."


def result(job: Job) -> SafeString | str:
    if job.result is None:
        return ""
    text = json.dumps(job.result, indent=2, ensure_ascii=False)
    return format_html("<pre style='white-space:pre-wrap'>{}</pre>", text)


def error(attempt: Attempt) -> SafeString | str:
    return _collapsible(attempt.error, attempt.traceback)


def log(attempt: Attempt) -> SafeString | str:
    lines = attempt.log.count("\n") + 1
    return _collapsible(f"{lines} line{'s' if lines > 1 else ''}", attempt.log) if attempt.log else ""


def _collapsible(summary: str, text: str) -> SafeString | str:
    """The summary, which opens the text if there is one."""
    if not text:
        return summary
    return format_html(
        "<details><summary>{}</summary><pre style='white-space:pre-wrap'>{}</pre></details>", summary, text
    )
