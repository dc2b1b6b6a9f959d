"""Claiming by hand, as a worker would."""

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from queues import JobDefinition, ledger
from queues.ledger import Claim, outbox, workers
from queues.lifecycle.offer import Offer
from queues.models import Outbox, Worker


def offer_of(definition: JobDefinition, **args: Any) -> Offer:
    """Enqueue a job and lease its offer."""
    definition.enqueue(**args)
    (offer,) = outbox.lease(definition.queue, 1)
    return offer


def lease_delayed(queue: str, limit: int, delay: float) -> list[Offer]:
    """Lease so many more rows that fall due in more than `delay` seconds, as a dispatcher would."""
    held = Outbox.objects.filter(queue=queue, offered_at__isnull=False, due_at__gt=timezone.now()).count()
    return outbox.lease_windows([queue], 0, held + limit, delay)


def claim_for(worker_id: int | None, definition: JobDefinition, **args: Any) -> Claim:
    """A job that this worker runs."""
    (claim,) = ledger.claim([offer_of(definition, **args)], worker_id)
    return claim


def new_worker(name: str = "w", *, beat_seconds_ago: float = 0) -> int:
    worker_id = workers.register(name, ["order"])
    if beat_seconds_ago:
        grow_old(worker_id, beat_seconds_ago)
    return worker_id


def grow_old(worker_id: int, seconds: float) -> None:
    """Let the last beat of a worker be so long ago."""
    Worker.objects.filter(pk=worker_id).update(beat_at=F("beat_at") - timedelta(seconds=seconds))
