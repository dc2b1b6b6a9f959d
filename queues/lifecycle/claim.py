"""A claim: a job that one worker process may run."""

from typing import Any, NamedTuple
from uuid import UUID


class Claim(NamedTuple):
    """A job that this process may run, as long as the token stands."""

    id: int
    name: str
    queue: str
    args: dict[str, Any]
    subject: str
    key: str | None
    attempt: int
    max_attempts: int
    lone_crashes: int
    suspect: bool
    offer: int
    token: UUID
    priority: int
    started_at: float
    """Seconds since 1970, by PostgreSQL's clock."""

    @property
    def message_id(self) -> str:
        """The id of the broker's message, see `Offer.message_id`."""
        return f"{self.id}-{self.offer}"
