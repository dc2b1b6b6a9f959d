"""A recurring job, registered where a test asks for it: it would disturb the others."""

from queues import job

from .jobs import begin, end


@job(queue="order", name="jobapp.every_second", every=1)
def every_second() -> None:
    """Tick."""
    end(begin("tick"))
