"""The message in Redis: an rq job whose id is `<job>-<offer>` and whose data is JSON.

It has the format of rq, so that rq's tools show it. Workers read only its id.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

import rq
from redis.client import Pipeline
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now, utcformat

from ...lifecycle.offer import Offer
from .keys import JOB_PREFIX, QUEUES, SCHEDULED, queue_key

KEPT_SECONDS = 7 * 24 * 3600
FINISHED_KEPT_SECONDS = 300


FUNCTION = f"{__name__}.refuse"


def refuse(message_id: str) -> None:
    """What rq's own worker would call; jobs run only through the ledger's claim."""
    raise RuntimeError(f"{message_id} belongs to BharatMart's ledger: run it with `manage.py rqworker`")


class MessageQueue(rq.Queue):
    """rq's queue class, with JSON only; jobs are enqueued through the ledger alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for ignored in ("autocommit", "commit_mode"):
            kwargs.pop(ignored, None)
        kwargs["serializer"] = JSONSerializer
        super().__init__(*args, **kwargs)

    def enqueue_call(self, *args: Any, **kwargs: Any) -> Job:
        raise RuntimeError("jobs are enqueued with @job and .enqueue(): see docs/howto/add-a-job.md")


def write(pipeline: Pipeline, offers: Sequence[Offer], at: datetime) -> None:
    """Queue the commands that put offers into their lists, and delayed ones into rq-scheduler's set."""
    written = utcformat(now())
    common = {**_common_fields(), "created_at": written, "enqueued_at": written}
    for offer in offers:
        delay = (offer.due_at - at).total_seconds() if offer.due_at else 0
        key = JOB_PREFIX + offer.message_id
        pipeline.hset(key, mapping={**common, **_fields(offer, delayed=delay > 0)})
        pipeline.expire(key, KEPT_SECONDS + max(0, int(delay)))
        if delay > 0:
            pipeline.zadd(SCHEDULED, {offer.message_id: time.time() + delay})
    to_head: dict[str, list[str]] = defaultdict(list)
    to_tail: dict[str, list[str]] = defaultdict(list)
    for offer in offers:
        if not offer.due_at or offer.due_at <= at:
            (to_head if offer.to_front else to_tail)[offer.queue].append(offer.message_id)
    for queue, ids in to_tail.items():
        pipeline.rpush(queue_key(queue), *ids)
    for queue, ids in to_head.items():
        pipeline.lpush(queue_key(queue), *ids)
    pipeline.sadd(QUEUES, *{queue_key(offer.queue) for offer in offers})


@cache
def _common_fields() -> Any:
    """The fields that are the same in all messages, as rq writes them."""
    return Job.create(FUNCTION, origin="", connection=_NO_CONNECTION, serializer=JSONSerializer).to_dict()


def _fields(offer: Offer, *, delayed: bool) -> Any:
    """The data is short, so it is not compressed; rq reads both."""
    return {
        "data": JSONSerializer.dumps([FUNCTION, None, [offer.message_id], {}]),
        "origin": offer.queue,
        "description": offer.name or offer.message_id,
        "status": (JobStatus.SCHEDULED if delayed else JobStatus.QUEUED).value,
    }


_NO_CONNECTION: Any = object()
