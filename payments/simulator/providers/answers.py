"""What a provider answers, and the store that answers again."""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from typing import Any

Thing = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; `raw` stands for a body that is not JSON."""

    status: int
    body: Thing
    raw: bytes | None = None

    @property
    def content(self) -> bytes:
        return self.raw if self.raw is not None else json.dumps(self.body).encode()


class Refusal(Exception):
    """A request that is answered with an error of the provider's own shape."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply


@dataclass
class IdempotencyStore:
    """The first answer under a key, given again for ever after, even an error, until it is told to forget."""

    kept: dict[str, tuple[str, Reply]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def find(self, key: str, path: str, body: Thing) -> tuple[Reply | None, bool]:
        """The first answer, and whether the request is the same as the first."""
        with self.lock:
            print_, reply = self.kept.get(key, ("", None))
            return reply, print_ == _print(path, body)

    def keep(self, key: str, path: str, body: Thing, reply: Reply) -> None:
        with self.lock:
            self.kept.setdefault(key, (_print(path, body), reply))

    def forget(self) -> None:
        """As a provider does after a day."""
        with self.lock:
            self.kept.clear()


def _print(path: str, body: Thing) -> str:
    return hashlib.sha256(json.dumps([path, body], sort_keys=True).encode()).hexdigest()
