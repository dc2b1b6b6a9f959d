"""Whom the run blames for a transaction that stands idle."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from tests.processes import wait_for

from .idle import BLIND, IdleWatch, Sight
from .look import Eye
from .victims import StandStill


@pytest.mark.django_db
def test_an_idle_transaction_is_blamed_on_its_owner_but_not_for_the_time_it_stood_still() -> None:
    # given a transaction of this process in which nothing happens
    url = _url()
    still = StandStill(os.getpid(), began=time.monotonic())
    told, untold = IdleWatch(Eye(url), [still]), IdleWatch(Eye(url), [])
    with psycopg.connect(url) as idle:
        idle.execute("SELECT 1")
        server = idle.info.backend_pid

        # when it is looked at until it is blamed, and by one who was told that the process stood still
        while not _blames(untold, server):
            told.look()
            untold.look()

        # then only the one who was not told has blamed it, and the other does so after as much time awake
        assert not _blames(told, server)
        still.ended = time.monotonic()
        while not _blames(told, server):
            told.look()
        assert time.monotonic() - still.ended > 1
    told.eye.close()
    untold.eye.close()


@pytest.fixture
def server(db: None) -> Iterator[int]:
    """The pid of the server's process for an idle transaction of this process."""
    with psycopg.connect(_url()) as idle:
        idle.execute("SELECT 1")
        yield idle.info.backend_pid


@pytest.fixture
def watch(server: int) -> Iterator[IdleWatch]:
    """It has seen this transaction, and those of the tests that run beside this one."""
    watch = IdleWatch(Eye(_url()), [])
    while not _seen(watch, server):
        watch.look()
    yield watch
    watch.eye.close()


def test_a_killed_process_is_not_blamed_until_the_server_hears_of_it(watch: IdleWatch, server: int) -> None:
    # given a transaction that has been idle for long
    (transaction,) = _seen(watch, server)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    watch.seen[transaction] = Sight(time.monotonic() - 10, dead.pid, waited={})

    # when its owner dies
    dead.wait()
    watch.look()

    # then it is not blamed
    assert not _blames(watch, server)


def test_what_a_thread_had_waited_before_it_ended_is_not_taken_for_idleness(watch: IdleWatch, server: int) -> None:
    # given a transaction that will not be idle for another minute, one of whose owner's threads had waited for longer
    ((transaction, sight),) = _seen(watch, server).items()
    ended = max(sight.waited) + 1_000_000
    watch.seen[transaction] = Sight(time.monotonic() + 60, os.getpid(), sight.waited | {ended: 1000.0})

    # when this thread has ended
    watch.look()

    # then it is not blamed
    assert not _blames(watch, server)


def test_a_watch_that_ended_early_proves_nothing(db: None) -> None:
    # given a watch that looks
    watch = IdleWatch(Eye(_url()), [])
    watch.start()
    wait_for(lambda: watch.looks)
    assert BLIND not in watch.found().broken

    # when it ends before the run does
    watch.over.set()
    watch.thread.join()

    # then nothing is known of the rest
    assert BLIND in watch.found().broken


def _url() -> str:
    shop = connection.settings_dict
    return make_conninfo(
        host=shop["HOST"], port=shop["PORT"], user=shop["USER"], password=shop["PASSWORD"], dbname=shop["NAME"]
    )


def _seen(watch: IdleWatch, server: int) -> dict[tuple[Any, ...], Sight]:
    return {transaction: sight for transaction, sight in watch.seen.items() if transaction[0] == server}


def _blames(watch: IdleWatch, server: int) -> bool:
    return any(pid == server for pid, _ in watch.broken)
