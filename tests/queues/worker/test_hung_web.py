"""WORKER_MODE=in-process: what becomes of a web process in which a job hangs."""

import sys
import threading
import urllib.request
from collections.abc import Callable

from bharatmart.devservers.server import free_port
from queues.models import Worker
from tests.jobapp.jobs import block, record
from tests.jobapp.models import Run
from tests.processes import Processes, is_gone, wait_for
from tests.queues.facts import open_gate, runs, wait_for_state

MODE = {"WORKER_MODE": "in-process", "QUEUE_REDIS_URL": "redis://127.0.0.1:9/0"}
QUICK = {"ORDER_TIMEOUT": "3", "QUEUE_ORDER_BACKOFF_DELAY": "1000", "QUEUE_ORDER_CONCURRENCY": "1"}


def asking(port: int) -> Callable[[str], str]:
    """A way to ask the web server on this port, once it answers."""

    def ask(path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def answers() -> bool:
        try:
            return bool(ask("whoami"))
        except OSError:
            return False

    wait_for(answers)
    return ask


def test_gunicorns_worker_ends_in_good_order_and_is_replaced(processes: Processes):
    # given a job that hangs in a web process, and a request that takes long
    port = free_port()
    master = processes.run(
        *(sys.executable, "-m", "gunicorn", "bharatmart.wsgi", "--workers", "1", "--threads", "4"),
        *("--bind", f"127.0.0.1:{port}", "--no-control-socket", "--graceful-timeout", "20"),
        name="gunicorn",
        **(MODE | QUICK),
    )
    ask = asking(port)
    job_id = block.enqueue(label="hung", gate="end").id
    wait_for(lambda: runs("hung") == 1)
    first = Run.objects.get().pid
    answers: list[str] = []
    request = threading.Thread(target=lambda: answers.append(ask("hold?gate=request")))
    request.start()

    # when the job's time is up, the pool has drained and the process is asked to end
    wait_for(lambda: Worker.objects.filter(pid=first, stopped_at__isnull=False).exists())
    wait_for(lambda: "gunicorn starts another" in master.output)
    open_gate("end")

    # then it answers what it was asked before it ends
    open_gate("request")
    request.join(20)
    assert [int(answer.split()[0]) for answer in answers] == [first]
    wait_for(lambda: is_gone(first))

    # and another process answers and runs the job
    assert wait_for(lambda: _pid(ask)) != first
    assert wait_for_state(job_id, "completed").attempt == 2
    assert Run.objects.filter(pid=first, label="hung").count() == 1
    assert master.lives


def _pid(ask: Callable[[str], str]) -> int:
    try:
        return int(ask("whoami").split()[0])
    except OSError:
        return 0


def test_under_runserver_the_hung_thread_is_replaced_and_not_the_process(processes: Processes):
    port = free_port()
    not_again = {"QUEUE_ORDER_BACKOFF_DELAY": "600000"}
    server = processes.manage("runserver", "--noreload", f"127.0.0.1:{port}", **(MODE | QUICK | not_again))
    ask = asking(port)
    block.enqueue(label="hung", gate="end")
    wait_for(lambda: runs("hung") == 1)

    after = record.enqueue(label="after").id

    wait_for_state(after, "completed")
    assert set(Run.objects.values_list("pid", flat=True)) == {server.pid}
    assert Run.objects.get(label="hung").thread == Run.objects.get(label="after").thread
    assert _pid(ask) == server.pid
    assert Worker.objects.get().stopped_at is None
