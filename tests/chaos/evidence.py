"""What the promises are judged by, and the form of a judgement."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from bharatmart.demo.mailbox import pdfs_of

from .buyers import Accepted
from .desk import GivenBack
from .look import Ask

SHOWN = 8


@dataclass(frozen=True)
class Mail:
    """One mail in the folder."""

    message_id: str
    subject: str
    pdfs: int


@dataclass(frozen=True)
class Evidence:
    """Everything that was seen at the end.

    `ask` puts a query to the database; `hit` are the pids that were hit, with `sends_hit` mails on their way.
    """

    ask: Ask
    accepted: Sequence[Accepted]
    initial_stock: Mapping[int, int]
    book: Sequence[dict[str, Any]]
    mails: Sequence[Mail]
    media: Path
    given_back: Mapping[int, GivenBack] = field(default_factory=dict)
    buyers: int = 0
    hit: frozenset[int] = field(default_factory=frozenset)
    sends_hit: int = 0


@dataclass(frozen=True)
class Finding:
    """A promise, what was counted for it, and each case in which it was broken."""

    name: str
    counted: str
    broken: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        return not self.broken


def finding(name: str, counted: str, broken: Iterable[str]) -> Finding:
    return Finding(name, counted, tuple(broken))


def states_of(ask: Ask) -> dict[int, str]:
    """The state of each order."""
    return {row["id"]: row["state"] for row in ask("SELECT id, state FROM orders_order ORDER BY id")}


def read_mails(folder: Path) -> list[Mail]:
    """The mails of a folder, oldest first."""
    return [_mail(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]


def _mail(content: bytes) -> Mail:
    message = message_from_bytes(content, policy=policy.default)
    return Mail(str(message["Message-ID"]), str(message["Subject"]), len(pdfs_of(message)))
