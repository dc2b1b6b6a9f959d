"""`rqstats`: the ledger's numbers; what lies in Redis cannot disturb it."""

import io
import json
import signal
from typing import Any

import pytest
import yaml
from django.core.management import call_command

from queues import ledger
from queues.ledger import workers
from queues.testing import run_next
from tests.jobapp.jobs import fail, record, record_mail
from tests.processes import Processes, wait_for
from tests.queues.claims import claim_for


@pytest.fixture
def some_jobs(ledger_db: None) -> None:
    """In `order` two waiting jobs, one delayed, one active, one completed and one failed; a worker on `email`."""
    record.enqueue(label="completed")
    run_next()
    fail.enqueue(label="failed", how="permanent")
    run_next(raises=False)
    ledger.cancel([job_id for (job_id,) in _last_resorts()], reason="test")
    claim_for(None, record, label="active")
    record.enqueue(label="waiting")
    record.enqueue(label="waiting")
    record.using(run_after=60).enqueue(label="delayed")
    workers.register("w", ["email", "reports"])
    workers.deregister(workers.register("stopped", ["email"]))


def _last_resorts() -> Any:
    from queues.models import Job

    return Job.objects.filter(name="jobapp.last_resort").values_list("pk")


def output_of(*words: str) -> str:
    output = io.StringIO()
    call_command("rqstats", *words, stdout=output)
    return output.getvalue()


ORDER = {
    "name": "order",
    "jobs": 2,
    "scheduled_jobs": 1,
    "started_jobs": 1,
    "finished_jobs": 1,
    "failed_jobs": 1,
    "deferred_jobs": 0,
    "workers": 0,
}


def test_plain_rqstats_is_a_table(some_jobs: None):
    lines = output_of().splitlines()

    assert lines[0] == "Name                  Queued   Delayed    Active  Finished    Failed   Workers"
    assert lines[1] == "email                      0         0         0         0         0         1"
    rows = {line.split()[0]: [int(number) for number in line.split()[1:]] for line in lines[1:]}
    assert rows["order"] == [2, 1, 1, 1, 1, 0]
    assert rows["email"] == [0, 0, 0, 0, 0, 1]
    assert rows["manual-review"] == [0] * 6
    assert len(rows) == 9


@pytest.mark.parametrize(("option", "read"), [("--json", json.loads), ("-j", json.loads), ("--yaml", yaml.safe_load)])
def test_rqstats_for_programs(some_jobs: None, option: str, read: Any):
    queues = {queue["name"]: queue for queue in read(output_of(option))["queues"]}

    assert queues["order"] == ORDER
    assert queues["email"]["workers"] == 1


def test_rqstats_with_an_interval_shows_anew_until_it_is_interrupted(processes: Processes):
    process = processes.manage("rqstats", "--interval", "0.2", QUEUE_REDIS_URL="redis://127.0.0.1:9/0")
    wait_for(lambda: process.output.count("Queued") >= 1)
    record_mail.enqueue(label="a")
    wait_for(lambda: "email                      1" in process.output)

    process.send(signal.SIGINT)

    assert process.exit_code() == 0
    assert "Traceback" not in process.output
