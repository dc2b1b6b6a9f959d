"""What load balancers ask."""

import socket
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from bharatmart.api import health


def test_alive_without_any_database(client: Client) -> None:
    assert client.get("/api/health").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_with_the_database_and_every_migration(client: Client) -> None:
    assert client.get("/api/health/ready").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_is_cheap_once_the_migrations_are_known(client: Client, django_assert_num_queries: Any) -> None:
    client.get("/api/health/ready")

    with django_assert_num_queries(1):
        client.get("/api/health/ready")


@pytest.mark.django_db
def test_not_ready_before_the_migrations(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'api' AND name LIKE '0002%'")

    answer = client.get("/api/health/ready")

    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert answer.json()["fields"] == {"migrations": "1 not applied"}


@pytest.mark.django_db
def test_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.7 failed: password of shop")

    monkeypatch.setattr(connection, "cursor", gone)

    answer = client.get("/api/health/ready")

    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert answer.json()["fields"] == {"database": "does not answer (OperationalError)"}


@pytest.mark.django_db
def test_ready_asks_nobody_but_postgresql(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get("/api/health/ready")

    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)

    assert client.get("/api/health/ready").status_code == 200
