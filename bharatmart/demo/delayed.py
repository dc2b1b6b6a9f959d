"""What rq-scheduler holds at this moment, read from Redis."""

from dataclasses import dataclass
from typing import cast

import redis

SCHEDULED = "rq:scheduler:scheduled_jobs"


@dataclass(frozen=True)
class Held:
    """A delayed message: the name of its job and when it is due (Unix time)."""

    name: str
    due: float


class DelayedSet:
    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)

    def read(self) -> list[Held]:
        """All delayed messages; none while Redis is away."""
        try:
            scored = cast("list[tuple[bytes, float]]", self.client.zrange(SCHEDULED, 0, -1, withscores=True))
            names = [self.client.hget(f"rq:job:{message.decode()}", "description") for message, _ in scored]
        except redis.RedisError:
            return []
        return [Held(cast(bytes, name).decode(), due) for name, (_, due) in zip(names, scored, strict=True) if name]
