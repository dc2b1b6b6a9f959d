"""How a connection to PostgreSQL is opened."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_server_that_vanished_without_a_word_is_noticed_within_a_minute():
    connection.ensure_connection()

    asked_for = connection.connection.info.get_parameters()

    idle, interval, count = (int(asked_for[f"keepalives_{name}"]) for name in ("idle", "interval", "count"))
    assert idle + interval * count <= 60
