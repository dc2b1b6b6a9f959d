"""The engine on Redis as it is deployed: behind Sentinels, behind TLS, with an account of few rights."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bharatmart.devservers.server import free_port
from queues.models import Job
from tests.jobapp.jobs import record, wait_for_gate
from tests.processes import Processes, wait_for
from tests.queues.brokers.own_redis import OwnRedis
from tests.queues.brokers.redis_servers import Tls, Watched
from tests.queues.facts import open_gate, runs, states, wait_for_state

RIGHTS = "~rq:* +@all -@admin -@dangerous +info"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    servers = Watched(tmp_path)
    yield servers
    servers.close()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path)
    yield server
    server.close()


def test_jobs_go_on_when_sentinels_replace_the_master(processes: Processes, watched: Watched):
    # given a worker in the middle of a job and a scheduler that holds a delayed one
    worker = processes.manage("rqworker", "order", QUEUE_REDIS_URL=watched.url)
    scheduler = processes.manage("rqscheduler", QUEUE_REDIS_URL=watched.url)
    running = wait_for_gate.enqueue(label="running", gate="g").id
    wait_for(lambda: runs("running") == 1)
    delayed = record.using(run_after=8).enqueue(label="delayed").id
    wait_for(lambda: watched.master.client.zcard("rq:scheduler:scheduled_jobs") == 1)

    # when the master is killed, and jobs are written while there is none
    watched.master.stop()
    during = [record.enqueue(label=f"during {number}").id for number in range(50)]
    open_gate("g")

    # then the same processes go on with the new one, and each job runs once
    wait_for(lambda: states() == {"completed": 52}, within=60)
    assert watched.replica.client.info("replication")["role"] == "master"
    assert all(runs(f"during {number}") == 1 for number in range(50))
    assert set(Job.objects.filter(pk__in=[running, delayed, *during]).values_list("attempt", "crashes")) == {(1, 0)}
    assert (worker.lives, scheduler.lives) == (True, True)


def test_jobs_run_through_tls(processes: Processes, own_redis: OwnRedis, tmp_path: Path):
    tls = Tls(own_redis.port, tmp_path)
    processes.manage("rqworker", "order", QUEUE_REDIS_URL=tls.url)

    wait_for_state(record.enqueue(label="a").id, "completed")

    assert tls.taken > 0
    tls.close()


def test_worker_does_not_talk_to_a_server_whose_certificate_it_cannot_check(
    processes: Processes, own_redis: OwnRedis, tmp_path: Path
):
    tls = Tls(own_redis.port, tmp_path)
    url, _, _ = tls.url.partition("?")

    worker = processes.manage("rqworker", "order", QUEUE_REDIS_URL=url)

    wait_for(lambda: "certificate" in worker.output.lower())
    assert own_redis.client.keys("*") == []
    tls.close()


def test_account_with_few_rights_is_enough(processes: Processes, own_redis: OwnRedis):
    # given an account that may touch rq's keys alone, and nobody else may do anything
    own_redis.client.execute_command("ACL", "SETUSER", "bharatmart", "on", ">secret", *RIGHTS.split())
    url = f"redis://bharatmart:secret@127.0.0.1:{own_redis.port}/0"
    worker = processes.manage("rqworker", "order", "--name", "w", QUEUE_REDIS_URL=url)
    scheduler = processes.manage("rqscheduler", QUEUE_REDIS_URL=url)

    # when jobs run at once and later
    wait_for_state(record.enqueue(label="a").id, "completed")
    wait_for_state(record.using(run_after=2).enqueue(label="b").id, "completed")

    # then nothing was denied
    assert worker.stop() == scheduler.stop() == 0
    denied = own_redis.client.execute_command("ACL", "LOG")
    assert denied == []
    assert "secret" not in worker.output + scheduler.output


def test_wrong_password_is_reported_without_showing_it(processes: Processes, own_redis: OwnRedis):
    url = f"redis://bharatmart:hushhush@127.0.0.1:{own_redis.port}/0"

    worker = processes.manage("rqworker", "order", QUEUE_REDIS_URL=url)

    wait_for(lambda: "WRONGPASS" in worker.output or "invalid username-password" in worker.output)
    assert "hushhush" not in worker.output


def test_worker_refuses_a_cluster(processes: Processes, own_redis: OwnRedis):
    own_redis.stop()
    own_redis.start("--cluster-enabled", "yes", "--cluster-port", str(free_port()))

    worker = processes.manage("rqworker", "order", QUEUE_REDIS_URL=own_redis.url)

    assert worker.exit_code() == 1
    assert "Redis runs as a Cluster, which rq cannot use" in worker.output
