"""Claiming and judging by hand, as a worker would."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.db.models import F

from queues import JobDefinition, ledger, signals
from queues.definitions import registry
from queues.ledger import outbox, workers
from queues.lifecycle.claim import Claim
from queues.lifecycle.execution import Execution
from queues.lifecycle.offer import Offer
from queues.lifecycle.verdict import Finished, Verdict
from queues.models import Outbox, Worker
from queues.settings import queue_named


def offer_of(definition: JobDefinition, **args: Any) -> Offer:
    """Enqueue a job and offer it."""
    definition.enqueue(**args)
    (offer,) = outbox.offer_due(definition.queue, 1)
    return offer


def offer_delayed(queue: str, limit: int, delay: float) -> list[Offer]:
    """Offer `limit` more rows that fall due in more than `delay` seconds, as a dispatcher would."""
    # The statement counts by the time of its transaction; in a test that is one transaction all jobs are younger.
    held = Outbox.objects.filter(queue=queue, offered_at__isnull=False, due_at__gt=TransactionNow()).count()
    return outbox.offer_windows([queue], 0, held + limit, delay)


def claim_for(worker_id: int | None, definition: JobDefinition, **args: Any) -> Claim:
    """A job that this worker runs."""
    (claim,) = claim_offers([offer_of(definition, **args)], worker_id)
    return claim


def claim_offers(offers: Sequence[Offer], worker_id: int | None) -> list[Claim]:
    """Claim these, whatever the limits of their queues."""
    claims = []
    for name, group in groupby(offers, key=lambda offer: offer.queue):
        unlimited = replace(queue_named(name), rate=None, scope="process")
        claims += ledger.claim(unlimited, list(group), worker_id, registry.names()).claims
    return claims


def execution_of(claim: Claim) -> Execution:
    return Execution(claim, queue_named(claim.queue))


def write_verdict(of: Claim | Execution, verdict: Verdict, worker: str = "") -> bool:
    """End the attempt; whether the claim's token still stood."""
    finished = Finished(execution_of(of) if isinstance(of, Claim) else of, verdict)
    states = ledger.finish([finished], worker)
    for state in states.values():
        signals.attempt_ended(finished, state)
    return bool(states)


def rescue_from(worker_id: int, worker: str) -> list[int]:
    """Free the jobs of this worker, as one that is dead."""
    return ledger.rescue(worker_id, worker, registry.child_rule())


def new_worker(name: str = "w", *, beat_seconds_ago: float = 0) -> int:
    worker_id = workers.register(name, ["order"])
    if beat_seconds_ago:
        grow_old(worker_id, beat_seconds_ago)
    return worker_id


def grow_old(worker_id: int, seconds: float) -> None:
    """Let the last beat of a worker be so long ago."""
    Worker.objects.filter(pk=worker_id).update(beat_at=F("beat_at") - timedelta(seconds=seconds))
