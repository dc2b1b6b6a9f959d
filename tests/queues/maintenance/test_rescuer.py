"""Leases and rescue: who counts as dead, and what becomes of a dead worker's jobs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from queues.definitions import registry
from queues.ledger import outbox, workers
from queues.lifecycle.verdict import released
from queues.maintenance.rescuer import Rescuer, rescue_from_closed_workers
from queues.models import Attempt, Job, Outbox, Worker
from queues.settings import queue_named
from tests.jobapp.jobs import compute, record
from tests.queues.claims import claim_for, claim_offers, grow_old, new_worker, rescue_from, write_verdict

pytestmark = pytest.mark.usefixtures("ledger_db")

LONG_AGO = 3600.0


def test_same_stale_beat_in_two_sweeps_frees_the_jobs():
    worker = new_worker(beat_seconds_ago=LONG_AGO)
    claim = claim_for(worker, record, label="a")
    rescuer = Rescuer()

    assert rescuer.sweep() == []
    assert rescuer.sweep() == [claim.id]

    job = Job.objects.get()
    assert (job.state, job.attempt, job.crashes, job.lone_crashes, job.suspect) == ("waiting", 0, 1, 0, True)
    assert (job.token, job.worker_id) == (None, None)
    assert Outbox.objects.values_list("job_id", "offer", "offered_at").get() == (claim.id, 1, None)
    attempt = Attempt.objects.get()
    assert (attempt.number, attempt.outcome) == (1, "crashed")
    assert attempt.error.startswith("worker w (")
    assert Worker.objects.get().stopped_at is not None


def test_two_sweeps_with_the_settings_of_production_come_within_75_seconds(settings: Any):
    assert settings.QUEUE_LEASE + settings.QUEUE_HEARTBEAT + 2 * settings.QUEUE_SWEEP <= 75


def test_fresh_beat_frees_nobody():
    claim_for(new_worker(), record, label="a")
    rescuer = Rescuer()

    assert [rescuer.sweep() for _ in range(3)] == [[], [], []]
    assert Job.objects.get().state == "active"


def test_beat_between_two_sweeps_frees_nobody():
    worker = new_worker(beat_seconds_ago=LONG_AGO)
    claim_for(worker, record, label="a")
    rescuer = Rescuer()

    rescuer.sweep()
    workers.renew(worker)
    grow_old(worker, LONG_AGO / 2)

    assert rescuer.sweep() == []
    assert Job.objects.get().state == "active"


def test_rescuer_that_lost_its_connection_starts_anew():
    """After a restart of PostgreSQL every beat is stale; the living get time to beat again."""
    claim_for(new_worker(beat_seconds_ago=LONG_AGO), record, label="a")
    rescuer = Rescuer()

    rescuer.sweep()
    connection.close()

    assert rescuer.sweep() == []
    assert Job.objects.get().state == "active"


def test_two_rescuers_declare_a_worker_dead_once():
    claim = claim_for(new_worker(beat_seconds_ago=LONG_AGO), record, label="a")
    one, other = Rescuer(), Rescuer()
    one.sweep(), other.sweep()

    assert (one.sweep(), other.sweep()) == ([claim.id], [])
    assert Job.objects.get().crashes == 1


def test_beat_in_the_last_moment_saves_a_worker(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    worker = new_worker(beat_seconds_ago=LONG_AGO)
    claim_for(worker, record, label="a")
    rescuer = Rescuer()
    rescuer.sweep()
    declare_dead = rescuer._declare_dead

    def beat_first(row: Worker) -> list[int]:
        workers.renew(worker)
        return declare_dead(row)

    monkeypatch.setattr(rescuer, "_declare_dead", beat_first)

    assert rescuer.sweep() == []
    assert Job.objects.get().state == "active"
    assert Worker.objects.get().stopped_at is None
    assert "died" not in caplog.text


def test_dead_worker_cannot_renew():
    worker = new_worker(beat_seconds_ago=LONG_AGO)
    rescuer = Rescuer()
    rescuer.sweep(), rescuer.sweep()

    assert workers.renew(worker) is False
    assert workers.living() == []


def test_worker_that_deregistered_is_not_declared_dead():
    worker = new_worker(beat_seconds_ago=LONG_AGO)
    workers.deregister(worker)
    stopped_at = Worker.objects.get().stopped_at
    rescuer = Rescuer()

    rescuer.sweep(), rescuer.sweep()

    assert Worker.objects.get().stopped_at == stopped_at


def test_rescue_leaves_other_workers_jobs_alone():
    dead = new_worker("dead", beat_seconds_ago=LONG_AGO)
    claims = [claim_for(dead, record, label="a"), claim_for(new_worker("living"), record, label="b")]
    rescuer = Rescuer()
    rescuer.sweep()

    assert rescuer.sweep() == [claims[0].id]
    assert Job.objects.get(pk=claims[1].id).state == "active"


def test_job_in_a_child_process_falls_with_its_parent_uncounted():
    claim_for(7, compute, label="a")

    rescue_from(7, "w")

    job = Job.objects.get()
    assert (job.state, job.attempt, job.crashes, job.suspect) == ("waiting", 0, 0, False)


def test_job_of_a_cpu_queue_falls_with_its_parent_uncounted():
    claim_for(7, record.using(queue_name="reports"), label="a")

    rescue_from(7, "w")

    assert (Job.objects.get().crashes, Job.objects.get().suspect) == (0, False)


def test_job_that_runs_in_a_thread_on_a_cpu_queue_is_counted(define: Any):
    job = define(lambda label: None, queue="reports", cpu=False)
    assert not registry.runs_in_child(job.name, queue_named("reports"))
    claim_for(7, job, label="a")

    rescue_from(7, "w")

    assert (Job.objects.get().crashes, Job.objects.get().suspect) == (1, True)


def test_suspect_falls_with_its_parent_uncounted():
    claim_for(7, record, label="a")
    rescue_from(7, "w")
    claim_offers(outbox.offer_due("order", 1), 8)

    rescue_from(8, "w")

    job = Job.objects.get()
    assert (job.crashes, job.lone_crashes, job.suspect, job.attempt) == (1, 0, True, 0)


def test_what_a_worker_claimed_while_it_was_declared_dead_is_freed_when_it_has_not_reassigned_it():
    # given a claim under a row that was closed long ago
    worker = new_worker()
    Worker.objects.update(stopped_at=Now() - timedelta(hours=1))
    claim = claim_for(worker, record, label="a")

    # when it is fresh, then its process may live, and reassign it with its next beat
    assert rescue_from_closed_workers() == []

    # when it is older than a lease, then nobody runs it
    Job.objects.update(started_at=Now() - timedelta(seconds=31))
    assert rescue_from_closed_workers() == [claim.id]
    assert Job.objects.get().state == "waiting"


def test_jobs_of_a_worker_that_stopped_a_moment_ago_are_left_alone():
    worker = new_worker()
    workers.deregister(worker)
    claim_for(worker, record, label="a")

    assert rescue_from_closed_workers() == []


def test_released_job_is_as_if_it_had_not_been_claimed():
    claim = claim_for(7, record, label="a")

    write_verdict(claim, released("the worker stopped"), "w")

    job = Job.objects.get()
    assert (job.state, job.attempt, job.crashes, job.suspect) == ("waiting", 0, 0, False)
    assert Outbox.objects.get().due_at <= job.run_at
    assert Attempt.objects.values_list("outcome", "error").get() == ("given back", "the worker stopped")
