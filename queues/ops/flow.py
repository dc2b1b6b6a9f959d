"""The page `docs/flow.md`: which events lead to which jobs, read from the declarations."""

from datetime import timedelta

from ..definitions import registry
from ..definitions.event import Event, all_events
from ..definitions.job import JobDefinition
from ..settings import declared, queue_named

HEAD = """# Flow: events and their jobs

Made by `python manage.py queues flow > docs/flow.md`; a test keeps it fresh.
"""


def flow_page() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for event in all_events():
        if event.reactions or event.withdrawals:
            parts.append(_event_section(event))
    recurring = registry.recurring()
    direct = [definition for definition in registry.all_jobs() if not definition.on and definition not in recurring]
    for title, jobs in (("Recurring", recurring), ("Enqueued directly", direct)):
        if jobs:
            parts.append(f"## {title}\n\n" + "".join(_job_line(definition) for definition in jobs))
    parts.append(_queue_section())
    return "\n".join(parts)


def _event_section(event: Event) -> str:
    lines = [f"## {event.name}({', '.join(event.arguments)})\n\n"]
    lines += [_job_line(registry.get(name)) for name in sorted(reaction.name for reaction in event.reactions)]
    lines += [f"- withdraws `{w.name}` (`{registry.get(w.name).key}`)\n" for w in event.withdrawals]
    return "".join(lines)


def _job_line(definition: JobDefinition) -> str:
    notes = [f"queue `{definition.queue}`"]
    if definition.run_after is not None:
        notes.append("delayed" if not isinstance(definition.run_after, timedelta) else "after a delay")
    if definition.cron or definition.every:
        notes.append(f"cron `{definition.cron}`" if definition.cron else f"every {definition.every:g} s")
    if definition.key:
        notes.append(f"key `{definition.key}`")
    if registry.runs_in_child(definition.name, queue_named(definition.queue)):
        notes.append("in a child process")
    if definition.on_failed:
        notes.append(f"if it fails for good: `{definition.on_failed.name}`")
    purpose = (definition.function.__doc__ or "").strip().split("\n")[0]
    return f"- `{definition.name}` ({', '.join(notes)}): {purpose}\n"


def _queue_section() -> str:
    rows = ["## Queues\n\n", "| queue | at once | attempts | jobs |\n", "|---|---|---|---|\n"]
    for queue in declared().values():
        names = [f"`{d.name}`" for d in registry.all_jobs() if d.queue == queue.name]
        rows.append(f"| `{queue.name}` | {queue.concurrency} | {queue.attempts} | {', '.join(names) or '-'} |\n")
    return "".join(rows)
