"""What the ledger should hold: jobs as plain objects, changed by the same steps as the real rows."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from queues.definitions import registry
from queues.lifecycle.claim import Claim
from queues.lifecycle.offer import Offer
from queues.lifecycle.verdict import Verdict
from queues.settings import queue_named
from queues.states import FINAL, RETRYABLE

WITHDRAWN, TO_OFFER, OFFERED = "withdrawn", "to offer", "offered"


@dataclass
class Entry:
    """One job. `row` is its outbox row, "" for none; `number` that of its last offer."""

    id: int
    name: str
    queue: str
    key: str | None
    priority: int
    is_due: bool
    state: str = "waiting"
    row: str = TO_OFFER
    number: int = 0
    attempt: int = 0
    max_attempts: int = 0
    crashes: int = 0
    lone_crashes: int = 0
    suspect: bool = False
    token: UUID | None = None
    worker: int | None = None
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def is_live(self) -> bool:
        return self.state not in FINAL

    def wait(self, *, is_due: bool = True) -> None:
        self.state, self.row, self.is_due, self.token, self.worker = "waiting", TO_OFFER, is_due, None, None


class LedgerModel:
    """All jobs by id, and the queues that are paused."""

    def __init__(self) -> None:
        self.jobs: dict[int, Entry] = {}
        self.paused: set[str] = set()

    def live_under(self, key: str | None) -> Entry | None:
        return next((job for job in self.jobs.values() if key and job.key == key and job.is_live), None)

    def add(self, entry: Entry) -> None:
        entry.max_attempts = queue_named(entry.queue).attempts
        self.jobs[entry.id] = entry

    def to_offer(self, queue: str = "", *, is_due: bool) -> list[Entry]:
        jobs = [job for job in self.jobs.values() if job.queue not in self.paused and job.queue.startswith(queue)]
        return [job for job in jobs if job.row == TO_OFFER and job.is_due == is_due]

    def offers(self) -> list[Offer]:
        return [Offer(job.id, job.number, job.queue) for job in self.jobs.values() if job.row == OFFERED]

    def rows(self) -> set[str]:
        return {job.row for job in self.jobs.values()}

    def claimable(self, offers: Iterable[Offer]) -> set[int]:
        """The jobs that these offers may claim: those of a row as it was offered last, in the list of its queue."""
        found = {offer.job_id: offer.queue for offer in offers if self._stands(offer)}
        jobs = [self.jobs[id] for id, queue in found.items() if self.jobs[id].queue == queue]
        return {job.id for job in jobs if job.is_due and job.queue not in self.paused}

    def _stands(self, offer: Offer) -> bool:
        job = self.jobs.get(offer.job_id)
        return job is not None and (job.row, job.number) == (OFFERED, offer.number)

    def claimed(self, claim: Claim, worker: int | None) -> None:
        job = self.jobs[claim.id]
        job.state, job.row, job.token, job.worker = "active", "", claim.token, worker
        job.attempt += 1

    def holds(self, claim: Claim) -> bool:
        job = self.jobs.get(claim.id)
        return job is not None and job.token == claim.token

    def finished(self, claim: Claim, verdict: Verdict) -> None:
        job = self.jobs[claim.id]
        job.wait(is_due=not verdict.wait)
        if verdict.state != "waiting":
            job.state, job.row = verdict.state, ""
        job.attempt -= verdict.attempt_not_counted
        job.crashes += verdict.crashed
        job.lone_crashes += verdict.crashed
        job.suspect = job.suspect or verdict.crashed
        job.outcomes[verdict.outcome] += 1

    def of_worker(self, worker: int, but: Collection[int] = ()) -> list[int]:
        return [job.id for job in self.jobs.values() if job.worker == worker and job.id not in but]

    def freed(self, ids: Iterable[int], *, crashed: bool) -> None:
        for job in map(self.jobs.__getitem__, ids):
            counts = crashed and not job.suspect and not registry.runs_in_child(job.name, queue_named(job.queue))
            job.wait()
            job.attempt -= 1
            job.crashes += counts
            job.suspect = job.suspect or counts
            job.outcomes["crashed" if crashed else "given back"] += 1

    def withdrawn(self, ids: Iterable[int]) -> None:
        for job in map(self.jobs.__getitem__, ids):
            job.state, job.row = "cancelled", WITHDRAWN

    def waiting(self, ids: Iterable[int]) -> set[int]:
        return {id for id in ids if id in self.jobs and self.jobs[id].state == "waiting"}

    def retry(self, ids: Sequence[int]) -> set[int]:
        """Revive what may be; the oldest of several under one key, queue by queue."""
        revived = set()
        chosen = [self.jobs[id] for id in sorted(set(ids)) if id in self.jobs]
        queues = list(dict.fromkeys(job.queue for job in chosen))
        for job in sorted(chosen, key=lambda job: (queues.index(job.queue), job.id)):
            if job.state in RETRYABLE and not self.live_under(job.key):
                job.wait()
                job.max_attempts = job.attempt + queue_named(job.queue).attempts
                job.lone_crashes, job.suspect = 0, False
                revived.add(job.id)
        return revived

    def released(self, offers: Iterable[Offer], *, postponed: bool) -> set[int]:
        found = {offer.job_id for offer in offers if self._stands(offer)}
        for job in map(self.jobs.__getitem__, found):
            job.row, job.is_due = TO_OFFER, job.is_due and not postponed
        return found
