"""What dispatchers and workers do with jobs, as steps of a state machine; each is checked against the model."""

from collections.abc import Callable, Collection
from typing import Any

from django.db import transaction
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from queues import Cancel, Permanent, Retry, Snooze
from queues.execution import judge
from queues.ledger import outbox
from queues.lifecycle.claim import Claim
from queues.lifecycle.execution import Execution
from queues.lifecycle.offer import Offer
from queues.lifecycle.verdict import Verdict, released
from queues.maintenance.rescuer import Rescuer
from queues.models import Attempt, Job, Outbox
from queues.states import JobState, Outcome
from tests.jobapp.jobs import compute, fail, last_resort, record, record_mail
from tests.queues.claims import claim_offers, execution_of, new_worker, offer_delayed, write_verdict
from tests.queues.ledger.ledger_model import OFFERED, Entry, LedgerModel

LONG = 3600.0

QUEUES = ("order", "email")
DEFINITIONS = st.sampled_from([record, record, compute, fail, record_mail])
NTH = st.integers(0, 5)
WORKER = st.integers(0, 1)
SOME = st.lists(NTH, min_size=1, max_size=4)
BACK = st.lists(st.integers(0, 2), min_size=1, max_size=3)
HOWS: dict[str, Callable[[Execution], Verdict]] = {
    "completed": lambda _: Verdict(JobState.COMPLETED, Outcome.COMPLETED),
    "error": lambda execution: judge.judge(execution, ValueError("no luck")),
    "retry at once": lambda execution: judge.judge(execution, Retry("again", after=0)),
    "snooze": lambda execution: judge.judge(execution, Snooze(LONG)),
    "cancel": lambda execution: judge.judge(execution, Cancel("not needed")),
    "permanent": lambda execution: judge.judge(execution, Permanent("never")),
    "timed out": judge.judge_timeout,
    "crash": lambda execution: judge.judge_crash(execution, "died"),
    "released": lambda _: released("the worker stopped"),
}


def snapshot() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Job, Outbox, Attempt)]


class JobSteps(RuleBasedStateMachine):
    """One transaction; jobs come in, are offered, claimed and judged."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.model = LedgerModel()
        self.workers = [new_worker("first"), new_worker("second")]
        self.claims: list[Claim] = []
        self.rescuer = Rescuer()
        self.stale: set[int] = set()
        self.seen: set[int] = set()
        self.gone: set[int] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @initialize()
    def first_job(self) -> None:
        self.enqueue(record, key="", wait=0.0, priority=0)

    @rule(
        definition=DEFINITIONS,
        key=st.sampled_from(["", "", "one", "other"]),
        wait=st.sampled_from([0.0, 0.0, LONG]),
        priority=st.sampled_from([0, 0, -1, 5]),
    )
    def enqueue(self, definition: Any, key: str, wait: float, priority: int) -> None:
        lives = self.model.live_under(key)
        id = definition.using(key=key, run_after=wait, priority=priority).enqueue(label="a").id
        if lives:
            assert id == lives.id
        else:
            self.model.add(Entry(id, definition.name, definition.queue, key or None, priority, is_due=not wait))

    @precondition(lambda self: self.model.to_offer(is_due=True))
    @rule(queue=st.sampled_from(QUEUES), limit=st.integers(1, 3))
    def offer(self, queue: str, limit: int) -> None:
        self._offered(outbox.offer_due(queue, limit), self.model.to_offer(queue, is_due=True), limit)

    @precondition(lambda self: self.model.to_offer(is_due=False))
    @rule(queue=st.sampled_from(QUEUES), limit=st.integers(1, 3))
    def offer_delayed(self, queue: str, limit: int) -> None:
        fitting = [job for job in self.model.to_offer(queue, is_due=False) if job.priority <= 0]
        self._offered(offer_delayed(queue, limit, 1.0), fitting, limit)

    def _offered(self, leased: list[Offer], fitting: list[Entry], limit: int) -> None:
        taken = [self.model.jobs[offer.job_id] for offer in leased]
        highest_left = max((job.priority for job in fitting if job not in taken), default=-10)
        assert len(leased) == min(limit, len(fitting))
        assert all(job in fitting for job in taken)
        assert all(job.priority >= highest_left or not job.is_due for job in taken)
        for job, offer in zip(taken, leased, strict=True):
            assert offer.number == job.number + 1, "an offer's number comes again, or one is left out"
            job.row, job.number = OFFERED, offer.number

    @rule(definition=DEFINITIONS, worker=WORKER, how=st.sampled_from(["", *HOWS]))
    def run_a_job(self, definition: Any, worker: int, how: str) -> None:
        """The usual way, to its verdict or not so far."""
        self.enqueue(definition, key="", wait=0.0, priority=0)
        for queue in QUEUES:
            self.offer(queue, 2)
        self.claim_what_is_offered(worker)
        if how and self.claims:
            self.finish(0, how)

    @precondition(lambda self: self.model.offers())
    @rule(worker=WORKER)
    def claim_what_is_offered(self, worker: int) -> None:
        self._claimed(self.model.offers(), worker)

    @rule(nth=NTH, back=BACK, worker=WORKER, queue=st.sampled_from([None, None, *QUEUES]))
    def claim_any(self, nth: int, back: list[int], worker: int, queue: str | None) -> None:
        """Old offers too, twice, in the list of another queue, and for workers that were declared dead."""
        self._claimed(self.offers_of(nth, back, queue), worker)

    def ids(self, some: list[int], states: Collection[str] = tuple(JobState)) -> list[int]:
        """The n-th youngest jobs, for each n; among those in these states, if there are any."""
        youngest = sorted(self.model.jobs, reverse=True) or [0]
        fitting = [id for id in youngest if id in self.model.jobs and self.model.jobs[id].state in states] or youngest
        return [fitting[n % len(fitting)] for n in some]

    def offers_of(self, nth: int, back: list[int], queue: str | None = None) -> list[Offer]:
        """The last offer of a job, and those before; in the list of this queue instead of its own."""
        (job_id,) = self.ids([nth])
        last, own = (self.model.jobs[job_id].number, self.model.jobs[job_id].queue) if job_id else (1, "order")
        return [Offer(job_id, max(1, last - n), queue or own) for n in back]

    def _claimed(self, offers: list[Offer], nth: int) -> None:
        worker = self.workers[nth]
        expected = self.model.claimable(offers)
        claims = claim_offers(offers, worker)
        assert sorted(claim.id for claim in claims) == sorted(expected)
        for claim in claims:
            self.model.claimed(claim, worker)
        self.claims += claims

    @precondition(lambda self: self.claims)
    @rule(nth=NTH, how=st.sampled_from(sorted(HOWS)))
    def finish(self, nth: int, how: str) -> None:
        claim = self.claims[-1 - nth % len(self.claims)]
        verdict = HOWS[how](execution_of(claim))
        verdict = verdict._replace(wait=LONG if verdict.wait else 0.0)
        stands, before = self.model.holds(claim), snapshot()
        assert write_verdict(claim, verdict, "w") is stands
        if not stands:
            note("a zombie's")
            assert snapshot() == before
            return
        self.model.finished(claim, verdict)
        if verdict.state == JobState.FAILED and claim.name == fail.name:
            new = Job.objects.latest("pk")
            assert new.name == last_resort.name
            self.model.add(Entry(new.pk, new.name, new.queue, None, 0, is_due=True))
