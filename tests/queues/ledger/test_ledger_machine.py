"""Any order of what may happen to jobs: the ledger does what a model of it says, and its rules hold after every step.

One transaction an example, rolled back at its end; `HYPOTHESIS_PROFILE=long` runs a hundred times as many.
"""

from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import F
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from queues import ledger
from queues.ledger import outbox, workers
from queues.maintenance import pruner
from queues.maintenance.rescuer import rescue_from_closed_workers
from queues.models import Attempt, Job, Worker
from queues.ops import actions
from queues.states import FINAL, RETRYABLE, JobState
from queues.testing import make_due
from tests.examples import examples
from tests.queues.claims import grow_old, new_worker
from tests.queues.ledger.job_steps import BACK, LONG, NTH, QUEUES, SOME, WORKER, JobSteps
from tests.queues.ledger.ledger_model import WITHDRAWN
from tests.queues.ledger.ledger_rules import broken_rules

ROW = ("name", "queue", "key", "state", "attempt", "max_attempts", "crashes", "lone_crashes", "suspect", "token")


class LedgerMachine(JobSteps):
    """And workers die, operators act, time passes, old jobs are deleted."""

    @rule(nth=WORKER, lives=st.booleans())
    def stand_still_or_beat(self, nth: int, lives: bool) -> None:
        worker = self.workers[nth]
        if lives:
            assert workers.renew(worker) is (worker not in self.gone)
            self.stale -= {worker} - self.gone
            self.seen -= {worker} - self.gone
        elif worker not in self.stale:
            grow_old(worker, LONG)
            self.stale.add(worker)

    @precondition(lambda self: self.stale - self.gone)
    @rule()
    def sweep(self) -> None:
        dead = (self.stale & self.seen) - self.gone
        expected = [id for worker in dead for id in self.model.of_worker(worker)]
        assert sorted(self.rescuer.sweep()) == sorted(expected)
        self.model.freed(expected, crashed=True)
        self.gone |= dead
        self.seen = self.stale - self.gone

    @precondition(lambda self: self.gone >= set(self.workers))
    @rule()
    def others_come(self) -> None:
        """What the workers that were declared dead hold or claim still has to be freed."""
        self.workers = [new_worker("third"), new_worker("fourth")]

    @precondition(lambda self: self.gone)
    @rule()
    def free_what_closed_workers_claimed(self) -> None:
        long = timedelta(seconds=LONG)
        Worker.objects.filter(pk__in=self.gone).update(stopped_at=F("stopped_at") - long)
        Job.objects.filter(worker__in=self.gone, state="active").update(started_at=F("started_at") - long)
        expected = [id for gone in self.gone for id in self.model.of_worker(gone)]
        assert sorted(rescue_from_closed_workers()) == sorted(expected)
        self.model.freed(expected, crashed=True)

    @rule(nth=WORKER, some=st.lists(NTH, max_size=3))
    def release_unacknowledged(self, nth: int, some: list[int]) -> None:
        worker, running = self.workers[nth], self.ids(some)
        expected = self.model.of_worker(worker, but=running)
        unacknowledged = [token for job_id, token in ledger.held_by(worker).items() if job_id not in running]
        assert sorted(ledger.release_unacknowledged(unacknowledged, worker, "w")) == sorted(expected)
        self.model.freed(expected, crashed=False)

    @rule(some=SOME, dispatcher_lives=st.booleans(), regrets=st.booleans())
    def cancel(self, some: list[int], dispatcher_lives: bool, regrets: bool) -> None:
        some = self.ids(some, [JobState.WAITING])
        expected = self.model.waiting(some)
        assert set(ledger.cancel(some, reason="cancelled by asha")) == expected
        self.model.withdrawn(expected)
        if dispatcher_lives:
            self.take_withdrawn_messages_out()
        if regrets:
            assert set(actions.retry_jobs(some, actor="asha")) == self.model.retry(some)

    @rule(key=st.sampled_from(["one", "other"]))
    def withdraw(self, key: str) -> None:
        expected = self.model.waiting(job.id for job in self.model.jobs.values() if job.key == key)
        assert set(ledger.withdraw([key], reason="test")) == expected
        self.model.withdrawn(expected)

    @rule(some=SOME)
    def retry(self, some: list[int]) -> None:
        some = self.ids(some, RETRYABLE)
        assert set(actions.retry_jobs(some, actor="asha")) == self.model.retry(some)

    @rule(nth=NTH, back=BACK, postpone=st.sampled_from([0.0, LONG]))
    def release(self, nth: int, back: list[int], postpone: float) -> None:
        offers = self.offers_of(nth, back)
        outbox.release(offers, postpone=postpone)
        self.model.released(offers, postponed=bool(postpone))

    @precondition(lambda self: WITHDRAWN in self.model.rows())
    @rule()
    def take_withdrawn_messages_out(self) -> None:
        outbox.forget(outbox.withdrawn())
        for job in self.model.jobs.values():
            job.row = "" if job.row == WITHDRAWN else job.row

    @precondition(lambda self: any(not job.is_due for job in self.model.jobs.values()))
    @rule()
    def time_passes(self) -> None:
        make_due()
        for job in self.model.jobs.values():
            job.is_due = job.is_due or job.state == "waiting"

    @rule(queue=st.sampled_from(QUEUES))
    def nothing_starts_while_a_queue_is_paused(self, queue: str) -> None:
        actions.pause_queue(queue, actor="asha")
        self.model.paused = {queue}
        self.offer(queue, 3)
        self.claim_what_is_offered(0)
        assert actions.resume_queue(queue, actor="asha")
        self.model.paused = set()

    @precondition(lambda self: any(not job.is_live for job in self.model.jobs.values()))
    @rule()
    def prune(self) -> None:
        Job.objects.filter(state__in=FINAL).update(finished_at=F("finished_at") - timedelta(days=365))
        gone = [job.id for job in self.model.jobs.values() if not job.is_live and not job.row]
        assert pruner.prune() == len(gone)
        for id in gone:
            del self.model.jobs[id]

    @invariant()
    def rows_are_as_the_model_says(self) -> None:
        rows = {job.pk: {name: getattr(job, name) for name in ROW} for job in Job.objects.all()}
        assert rows == {job.id: {name: getattr(job, name) for name in ROW} for job in self.model.jobs.values()}

    @invariant()
    def attempts_are_as_the_model_says(self) -> None:
        found = Counter(Attempt.objects.values_list("job_id", "outcome"))
        assert found == Counter(
            {(job.id, how): n for job in self.model.jobs.values() for how, n in job.outcomes.items()}
        )

    @invariant()
    def rules_hold(self) -> None:
        assert broken_rules() == {}


@pytest.mark.usefixtures("ledger_db")
def test_any_order_of_events_keeps_the_ledgers_rules():
    run_state_machine_as_test(LedgerMachine, settings=examples(40, steps=40))
