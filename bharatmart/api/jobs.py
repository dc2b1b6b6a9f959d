from queues import job

from . import limits


@job(queue="order", every=600, key="prune-throttles")
def prune_throttles() -> None:
    """Delete the request counters whose window is over."""
    limits.prune()
