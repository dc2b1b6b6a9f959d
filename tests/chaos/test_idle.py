"""Whom the run blames for a transaction that stands idle."""

import os
import time

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from .idle import IdleWatch
from .look import Eye
from .victims import StandStill


@pytest.mark.django_db
def test_an_idle_transaction_is_blamed_on_its_owner_but_not_for_the_time_it_stood_still() -> None:
    # given a transaction of this process in which nothing happens
    shop = connection.settings_dict
    url = make_conninfo(
        host=shop["HOST"], port=shop["PORT"], user=shop["USER"], password=shop["PASSWORD"], dbname=shop["NAME"]
    )
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


def _blames(watch: IdleWatch, server: int) -> bool:
    return any(pid == server for pid, _ in watch.broken)
