"""RQ_QUEUES: the declared queues in the form that django-rq reads."""

from collections.abc import Mapping
from typing import Any

from .queue import DEFAULT_QUEUE
from .redis_url import is_sentinel, parse_sentinel


def rq_queues(declared: Mapping[str, Any], redis_url: str) -> dict[str, dict[str, Any]]:
    """Every declared queue, and the `default` that django-rq's commands need."""
    options = {**_connection(redis_url), "SERIALIZER": "rq.serializers.JSONSerializer"}
    return {name: dict(options) for name in [*declared, DEFAULT_QUEUE]}


def _connection(redis_url: str) -> dict[str, Any]:
    if not is_sentinel(redis_url):
        return {"URL": redis_url or "redis://127.0.0.1:6379/0"}
    address = parse_sentinel(redis_url)
    return {
        "SENTINELS": list(address.sentinels),
        "MASTER_NAME": address.master,
        "DB": address.db,
        "USERNAME": address.username,
        "PASSWORD": address.password,
        "SENTINEL_KWARGS": {"password": address.sentinel_password},
    }
