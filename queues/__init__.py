"""Background jobs that a shop can trust with money.

The public names: declare with `@job` and `Event`; inside a job report with `progress`, ask `cancelled`, and end it with
`Retry`, `Snooze`, `Cancel` or `Permanent`. Everything else is the engine. Its map, from the bottom up:

states           the states of a job
errors           what a job may raise, what the engine raises
supervisor       the small parent process that replaces its working child

settings         QUEUES and WORKER_... read and checked
postgres         how the engine talks to PostgreSQL

lifecycle        the shapes that a job takes on its way, as plain data
helper_thread    the one loop of every helper thread

models           the tables
context          the job of this thread: what its function may call
signals          Django signals for what happens to jobs

ledger           every job is a row: the only writer of jobs, outbox, attempts and workers

definitions      what an app declares: jobs, events, recurrences
brokers          carry offers to workers; may lose everything

dispatcher       moves committed jobs from the outbox to the broker
execution        runs one claimed job in this thread
maintenance      what every worker does beside its jobs: rescue, offer again, tick, prune

worker           the process that claims jobs and runs many at once
ops              what an operator sees and does

testing          the test kit for people who write jobs

apps             wiring: what Django loads at the start
admin            the pages, where Django's admin finds them

management       commands, and rq's command line around our worker
"""

from .context import cancelled, progress
from .definitions.decorator import job
from .definitions.event import Event
from .definitions.job import JobDefinition
from .errors import Cancel, Permanent, Retry, Snooze

__all__ = ["Cancel", "Event", "JobDefinition", "Permanent", "Retry", "Snooze", "cancelled", "job", "progress"]
