"""Background jobs that a shop can trust with money.

The public names: declare with `@job` and `Event`, steer from inside a job with `Retry`, `Snooze`,
`Cancel` and `Permanent`, and tell with `progress` how far it is. Everything else in this package is the engine.
"""

from .context import progress
from .definitions.event import Event
from .definitions.job import JobDefinition, job
from .errors import Cancel, Permanent, Retry, Snooze

__all__ = ["Cancel", "Event", "JobDefinition", "Permanent", "Retry", "Snooze", "job", "progress"]
