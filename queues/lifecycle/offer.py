"""An offer: one numbered attempt to bring a waiting job to a worker."""

import re
from dataclasses import dataclass, field
from datetime import datetime

MESSAGE_ID = re.compile(r"([1-9][0-9]{0,18})-([1-9][0-9]{0,9})")


@dataclass(frozen=True)
class Offer:
    """`number` grows with each offer of a job, so that a late clean-up of one never touches the next."""

    job_id: int
    number: int
    queue: str
    due_at: datetime | None = field(default=None, compare=False)
    name: str = field(default="", compare=False)
    to_front: bool = field(default=False, compare=False)
    """Its priority is higher than that of all that is published: it goes to the front of the broker's list."""

    @property
    def message_id(self) -> str:
        return f"{self.job_id}-{self.number}"

    @classmethod
    def parse(cls, message_id: str, queue: str) -> "Offer | None":
        """The offer that a message bears; None for anything else that may lie in a broker."""
        match = MESSAGE_ID.fullmatch(message_id)
        if match is None or int(match[1]) >= 2**63 or int(match[2]) >= 2**31:
            return None
        return cls(int(match[1]), int(match[2]), queue)
