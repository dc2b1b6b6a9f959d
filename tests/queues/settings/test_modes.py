"""WORKER_MODE: what each command does under each mode, as an operator meets it."""

import os
import subprocess
import sys

import pytest

from tests.processes import ROOT, Processes

NOBODY = "redis://127.0.0.1:9/0"
DATABASE = "postgresql://nobody@127.0.0.1:9/none"
"""None of these commands gets as far as to a server."""


def manage(*words: str, **environment: str) -> tuple[int, str]:
    """The exit code of a command, and its output."""
    usual = {"DATABASE_URL": DATABASE, "QUEUE_REDIS_URL": NOBODY, "DJANGO_SETTINGS_MODULE": "tests.jobapp.settings"}
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**os.environ, **usual, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "mode"), [("rqworker", "in-process"), ("rqworker-pool", "none"), ("rqscheduler", "in-process")]
)
def test_rq_command_under_another_mode_ends_with_2(command: str, mode: str):
    code, output = manage(command, WORKER_MODE=mode)

    assert code == 2
    assert f"{command} needs WORKER_MODE=rq, but WORKER_MODE is '{mode}'" in output
    assert "set WORKER_MODE=rq and QUEUE_REDIS_URL, or run `manage.py work`" in output


def test_work_under_none_ends_with_2():
    code, output = manage("work", WORKER_MODE="none")

    assert code == 2
    assert "WORKER_MODE is 'none': jobs stay waiting and nothing runs them" in output


def test_dispatch_under_in_process_ends_with_2():
    code, output = manage("dispatch", "--once", WORKER_MODE="in-process")

    assert code == 2
    assert "dispatch needs WORKER_MODE=rq, but WORKER_MODE is 'in-process'" in output


def test_all_wrong_variables_are_reported_at_once():
    wrong = {"WORKER_CONCURRENCY": "0", "QUEUE_EMAIL_BACKOFF_TYPE": "linear", "QUEUE_WINDOW": "-5"}

    code, output = manage("rqworker", WORKER_MODE="sqs", **wrong)

    assert code == 1
    assert "WORKER_MODE: sqs is not built yet; expected one of rq, in-process, none." in output
    assert "WORKER_CONCURRENCY: expected a whole number of at least 1, got '0'." in output
    assert "QUEUE_EMAIL_BACKOFF_TYPE: expected exponential or fixed, got 'linear'." in output
    assert "QUEUE_WINDOW: " in output
    assert "Traceback" not in output


def test_oci_queue_is_refused():
    code, output = manage("work", WORKER_MODE="oci-queue")

    assert code == 1
    assert "WORKER_MODE: oci-queue is not built yet" in output


def test_production_without_redis_url_is_refused():
    code, output = manage("rqworker", DEBUG="0", WORKER_MODE="rq", QUEUE_REDIS_URL="")

    assert code == 1
    assert "QUEUE_REDIS_URL: is not set, but WORKER_MODE=rq needs it" in output
    assert "Traceback" not in output


def test_wrong_declaration_stops_the_worker(tmp_path):
    (tmp_path / "wrong.py").write_text("from tests.jobapp.settings import *\nQUEUES['email']['atempts'] = 3\n")

    code, output = manage("rqworker", DJANGO_SETTINGS_MODULE="wrong", PYTHONPATH=f"{tmp_path}:{ROOT}")

    assert code == 1
    assert "(queues.E004) QUEUES['email'] has an unknown option 'atempts'." in output
    assert "Did you mean 'attempts'?" in output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("rqworker", "emial"), "no queue named 'emial' is declared. Did you mean 'email'?"),
        (("rqworker", "--with-scheduler"), "--with-scheduler cannot be used: run `manage.py rqscheduler`"),
        (("rqworker", "--max-jobs", "0"), "--max-jobs: expected at least 1, got 0"),
    ],
)
def test_wrong_use_ends_with_2(words: tuple[str, ...], sentence: str):
    """The other wrong uses are in test_refusals.py: these three show that a shell sees the exit code."""
    code, output = manage(*words)

    assert code == 2
    assert sentence in output
    assert "Traceback" not in output


def test_jobs_of_mode_none_stay_waiting_and_stats_say_so(processes: Processes):
    script = (
        "import django; django.setup()\n"
        "from tests.jobapp.jobs import record\nfrom queues.ledger.counts import stats\n"
        "record.enqueue(label='a')\nprint(stats().total.waiting, stats().queues['order'])"
    )

    process = processes.run(sys.executable, "-c", script, name="none", WORKER_MODE="none", QUEUE_REDIS_URL=NOBODY)

    assert process.exit_code() == 0
    assert process.output == "1 Counts(waiting=1, active=0, completed=0, failed=0, delayed=0)\n"
