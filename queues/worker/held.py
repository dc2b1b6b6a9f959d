"""All jobs of this process, from before their claim is asked for until their verdict is written."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from ..lifecycle.execution import Execution
from ..lifecycle.offer import Offer


class Held:
    """The executions of this process, for all its threads; how many jobs it has run, and when it last worked."""

    def __init__(self) -> None:
        self.jobs_run = 0
        self.active_at = time.monotonic()
        self._executions: dict[int, Execution] = {}
        self._claiming: set[int] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._executions)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held, and no claim is on its way."""
        with self._lock:
            return not self._executions and not self._claiming

    def all(self) -> list[Execution]:
        with self._lock:
            return list(self._executions.values())

    @contextmanager
    def claiming(self, offers: Sequence[Offer]) -> Iterator[None]:
        """While in this block these jobs count as held, although the claim has not answered yet."""
        ids = {offer.job_id for offer in offers}
        with self._lock:
            self._claiming |= ids
        try:
            yield
        finally:
            with self._lock:
                self._claiming -= ids

    def begin(self, executions: Iterable[Execution]) -> None:
        """These were claimed; called within `claiming`."""
        begun = {execution.claim.id: execution for execution in executions}
        with self._lock:
            self._executions.update(begun)
            self.active_at = time.monotonic()

    def end(self, executions: Sequence[Execution], *, ran: bool = True) -> None:
        """These are not this process's any more; a later claim of the same job is. `ran`: they count as run."""
        with self._lock:
            for execution in executions:
                if self._executions.get(execution.claim.id) is execution:
                    del self._executions[execution.claim.id]
            if ran:
                self.jobs_run += len(executions)
                self.active_at = time.monotonic()

    def unacknowledged(self, held: Mapping[int, UUID]) -> list[UUID]:
        """Which of these claims never reached this process, if the ledger listed them before this call.

        However late the ledger answers: a claim that it lists was asked for before, and until its verdict is written
        its job is either being claimed or held.
        """
        with self._lock:
            known = {execution.claim.token for execution in self._executions.values()}
            return [token for job_id, token in held.items() if token not in known and job_id not in self._claiming]
