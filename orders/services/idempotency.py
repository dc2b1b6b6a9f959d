"""One effect per Idempotency-Key: the key's row is inserted first and its answer stored in the same transaction.

Of two requests at once under one key the second waits on the unique index until the first has committed, and then
gets its answer; if the first was rolled back, the second goes ahead in its place.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from ..errors import IdempotencyKeyReused
from ..models import IdempotencyKey

KEPT = timedelta(hours=24)
"""How long an answer is given again; after that the same key places a new order."""
PRUNE_BATCH = 1000

CLAIM = """
INSERT INTO orders_idempotencykey (user_id, key, body_hash, response_status, response_body, created_at)
VALUES (%s, %s, %s, 0, '', now())
ON CONFLICT (user_id, key) DO NOTHING
RETURNING id
"""


@dataclass(frozen=True)
class Answer:
    """What the API answers: a status and JSON as text."""

    status: int
    body: str


def hash_body(body: Any) -> str:
    """SHA-256 of the body's canonical JSON, so that spaces and the order of keys do not count."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def claim(user_id: int, key: str, body_hash: str) -> Answer | None:
    """Take the key for this transaction, or return the answer already given under it.

    Raises IdempotencyKeyReused if that answer was to another body.
    """
    given = None
    while given is None:  # it may be pruned between the two statements
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, [user_id, key, body_hash])
            if cursor.fetchone():
                return None
        given = IdempotencyKey.objects.filter(user_id=user_id, key=key).first()
    if given.body_hash != body_hash:
        raise IdempotencyKeyReused
    return Answer(given.response_status, given.response_body)


def keep(user_id: int, key: str, answer: Answer) -> None:
    """Store the answer of a key that this transaction has claimed."""
    IdempotencyKey.objects.filter(user_id=user_id, key=key).update(
        response_status=answer.status, response_body=answer.body
    )


def prune() -> int:
    """Delete the keys that are older than KEPT, in short batches; how many."""
    old = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).order_by("created_at")
    deleted = 0
    while ids := list(old.values_list("pk", flat=True)[:PRUNE_BATCH]):
        deleted += IdempotencyKey.objects.filter(pk__in=ids).delete()[0]
    return deleted
