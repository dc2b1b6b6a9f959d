"""How a connection to PostgreSQL is opened."""

from contextlib import closing

import pytest
from django.conf import settings
from django.db import connection


@pytest.mark.django_db
def test_server_that_vanished_without_a_word_is_noticed_within_a_minute():
    connection.ensure_connection()

    asked_for = connection.connection.info.get_parameters()

    idle, interval, count = (int(asked_for[f"keepalives_{name}"]) for name in ("idle", "interval", "count"))
    assert idle + interval * count <= 60
    assert 0 < int(asked_for["tcp_user_timeout"]) <= 60_000


@pytest.mark.django_db
def test_server_ends_what_holds_others_up():
    asked_for = {
        "statement_timeout": settings.DATABASE_STATEMENT_TIMEOUT,
        "lock_timeout": settings.DATABASE_LOCK_TIMEOUT,
        "idle_in_transaction_session_timeout": settings.DATABASE_IDLE_TIMEOUT,
    }

    as_at_first = connection.copy()  # migrations have lifted some of them for the connection that ran them
    with closing(as_at_first), as_at_first.cursor() as cursor:
        cursor.execute("SELECT name, setting::int / 1000.0 FROM pg_settings WHERE name = ANY(%s)", [[*asked_for]])
        found = {name: float(seconds) for name, seconds in cursor.fetchall()}

    assert found == asked_for
    assert all(found.values())
