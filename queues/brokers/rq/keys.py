"""The keys that we and rq use in Redis, and the type of each."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

import redis
import rq
from rq.job import Job
from rq.worker_registration import REDIS_WORKER_KEYS, WORKERS_BY_QUEUE_KEY

from ...settings import DEFAULT_QUEUE, declared

log = logging.getLogger(__name__)

JOB_PREFIX = Job.redis_job_namespace_prefix
QUEUE_PREFIX = rq.Queue.redis_queue_namespace_prefix
QUEUES = rq.Queue.redis_queues_keys
FETCHED_PREFIX = "rq:fetched:"
SCHEDULED = "rq:scheduler:scheduled_jobs"
REGISTRIES = ("wip", "finished", "failed")


def queue_key(queue: str) -> str:
    return f"{QUEUE_PREFIX}{queue}"


def fetched_key(worker_id: int, queue: str) -> str:
    """The list of the messages of a queue that a worker process has received and not yet claimed."""
    return f"{FETCHED_PREFIX}{worker_id}:{queue}"


def registry_key(registry: str, queue: str) -> str:
    return f"rq:{registry}:{queue}"


def wip_key(queue: str) -> str:
    return registry_key("wip", queue)


def delete_wrong_types(connection: redis.Redis, more: Mapping[str, bytes] = MappingProxyType({})) -> None:
    """Delete every key that holds a wrong type: all commands on it would fail for ever."""
    wanted = {SCHEDULED: b"zset", QUEUES: b"set", REDIS_WORKER_KEYS: b"set", **more}
    for queue in [*declared(), DEFAULT_QUEUE]:
        wanted |= {queue_key(queue): b"list", WORKERS_BY_QUEUE_KEY % queue: b"set"}
        wanted |= {registry_key(registry, queue): b"zset" for registry in REGISTRIES}
    try:
        wanted |= {key.decode(errors="replace"): b"list" for key in connection.scan_iter(f"{FETCHED_PREFIX}*")}
        for key, kind in wanted.items():
            found = cast(bytes, connection.type(key))
            if found not in (kind, b"none"):
                log.warning("deleted %s from Redis: it holds a %s instead of a %s", key, found.decode(), kind.decode())
                connection.delete(key)
    except redis.RedisError as error:
        log.warning("keys of a wrong type could not be deleted from Redis: %s", error)
