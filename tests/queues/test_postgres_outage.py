"""PostgreSQL may restart or be away: every long-lived process waits, comes back by itself, and nobody is rescued."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import connection

from queues.models import Attempt, Job
from tests.chaos.place import OwnServers, own_servers
from tests.jobapp.jobs import record, wait_for_gate
from tests.processes import Processes, Started, wait_for
from tests.queues.facts import open_gate, runs, wait_for_state, wait_for_workers
from tests.queues.worker.web_process import Web

pytestmark = pytest.mark.thorough


@pytest.fixture
def servers(ledger_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnServers]:
    """A PostgreSQL of this test's own with all tables, to which this process and those it starts connect."""
    monkeypatch.setenv("BHARATMART_SERVERS_IDLE", "5")
    root = Path(tempfile.mkdtemp(prefix="bharatmart-outage-"))
    root.chmod(0o711)
    before = dict(connection.settings_dict)
    try:
        with own_servers(root) as servers:
            _connect_to(servers.database_url)
            call_command("migrate", "--run-syncdb", verbosity=0)
            yield servers
    finally:
        connection.close()
        connection.settings_dict.update(before)
        shutil.rmtree(root, ignore_errors=True)


def _connect_to(url: str) -> None:
    parts = urlsplit(url)
    connection.close()
    place: dict[str, Any] = {"HOST": parts.hostname, "PORT": parts.port, "NAME": parts.path.lstrip("/")}
    connection.settings_dict.update({**place, "USER": parts.username, "PASSWORD": parts.password})


@pytest.fixture
def processes(servers: OwnServers, processes: Processes) -> Processes:
    """Started after the server and ended before it; nobody is taken for dead within two seconds of a restart."""
    processes.environment = processes.environment | {"QUEUE_SWEEP": "2"}
    return processes


def start_all(processes: Processes) -> list[Started]:
    pool = ("rqworker-pool", "payment", "--num-workers", "1")
    commands = (("rqworker", "order"), ("work", "email"), pool, ("dispatch",), ("rqscheduler",))
    started = [processes.manage(*command) for command in commands]
    wait_for_workers(3)
    return started


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
def test_every_long_lived_process_outlives_a_restart(servers: OwnServers, processes: Processes, how: signal.Signals):
    # given one of each, a job in the middle of its work, and a web that is ready
    started, web = start_all(processes), Web(processes)
    wait_for(lambda: web.status() == 200)
    running = wait_for_gate.enqueue(label="running", gate="g").id
    wait_for(lambda: runs("running") == 1)
    delayed = record.using(run_after=4).enqueue(label="delayed").id

    # when PostgreSQL goes, is missed by everybody, and comes back
    connection.close()
    servers.stop(servers.postgres, how)
    wait_for(lambda: web.status() == 503)
    wait_for(lambda: all("heartbeat pauses" in process.output for process in started[:3]))
    wait_for(lambda: "dispatcher pauses" in started[3].output)
    servers.start(servers.postgres)

    # then the same processes go on, what ran is completed, and nobody was declared dead
    wait_for(lambda: web.status() == 200)
    open_gate("g")
    after = [record.using(queue_name=queue).enqueue(label=queue).id for queue in ("order", "email", "payment")]
    for job_id in (delayed, *after):
        wait_for_state(job_id, "completed", within=60)
    wait_for(lambda: Job.objects.get(pk=running).state == "completed", within=60)
    assert all(process.lives for process in (*started, web.process))
    assert set(Job.objects.values_list("crashes", flat=True)) == {0}
    assert set(Job.objects.values_list("attempt", flat=True)) == {1}, "the restart has cost nobody an attempt"
    assert "given back" in Attempt.objects.filter(job_id=running).values_list("outcome", flat=True)
    assert not Attempt.objects.filter(outcome="crashed").exists()
    wait_for_workers(3)


def test_process_that_is_started_while_postgresql_is_away_waits_for_it(servers: OwnServers, processes: Processes):
    # given a job, and PostgreSQL gone
    job_id = record.enqueue(label="a").id
    connection.close()
    servers.stop(servers.postgres, signal.SIGINT)

    # when workers start
    started = [processes.manage("rqworker", "order"), processes.manage("work", "email")]
    wait_for(lambda: all("the start has to wait" in process.output for process in started))
    servers.start(servers.postgres)

    # then they begin as soon as it is there
    wait_for_state(job_id, "completed")
    assert all(process.lives for process in started)


def test_worker_that_is_stopped_while_it_waits_for_postgresql_ends_in_good_order(
    servers: OwnServers, processes: Processes
):
    connection.close()
    servers.stop(servers.postgres, signal.SIGINT)
    worker = processes.manage("rqworker", "order")
    wait_for(lambda: "the start has to wait" in worker.output)

    assert worker.stop() == 0

    assert "Traceback" not in worker.output
    servers.start(servers.postgres)


def test_worker_that_is_started_while_redis_is_away_waits_for_it(servers: OwnServers, processes: Processes):
    job_id = record.enqueue(label="a").id
    servers.stop(servers.valkey, signal.SIGKILL)

    worker = processes.manage("rqworker", "order", QUEUE_REDIS_URL=servers.redis_url)
    wait_for(lambda: "the start has to wait: Redis" in worker.output)
    servers.start(servers.valkey)

    wait_for_state(job_id, "completed")
    assert worker.lives
