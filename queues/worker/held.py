"""The jobs that this process holds by a claim of its own."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from ..ledger import Claim
from ..lifecycle.offer import Offer


class InFlight:
    """Claims from the moment they are asked for until their verdict is written; used by many threads."""

    def __init__(self) -> None:
        self._claims: dict[int, Claim] = {}
        self._asked_for: set[int] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._claims)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held, nor asked for."""
        with self._lock:
            return not self._claims and not self._asked_for

    def all(self) -> list[Claim]:
        with self._lock:
            return list(self._claims.values())

    @contextmanager
    def asking_for(self, offers: Sequence[Offer]) -> Iterator[None]:
        """In this block the ledger may give these jobs to this process; `begin` tells within it which it has given."""
        ids = {offer.job_id for offer in offers}
        with self._lock:
            self._asked_for |= ids
        try:
            yield
        finally:
            with self._lock:
                self._asked_for -= ids

    def begin(self, claims: Iterable[Claim]) -> None:
        with self._lock:
            self._claims.update({claim.id: claim for claim in claims})

    def end(self, claims: Iterable[Claim]) -> None:
        """These are not this process's any more; a later claim of the same job is."""
        with self._lock:
            for claim in claims:
                if self._claims.get(claim.id) is claim:
                    del self._claims[claim.id]

    def unheard_of(self, held: Mapping[int, UUID]) -> list[UUID]:
        """Which of these claims never reached this process, if the ledger told of them before this call.

        However late the ledger answers: a claim that it knows was asked for before, and is in one of the two
        places until its verdict is written.
        """
        with self._lock:
            known = {claim.token for claim in self._claims.values()}
            return [token for job_id, token in held.items() if token not in known and job_id not in self._asked_for]
