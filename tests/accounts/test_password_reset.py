"""A new password by mail: the key exists in the mail alone."""

import logging
import re
from typing import Any

import pytest
import redis
from django.apps import apps
from django.conf import settings
from django.test import Client

from bharatmart.accounts.models import User
from notifications.models import Notification
from queues import brokers
from queues.ledger import outbox
from queues.models import Job, Outbox
from queues.testing import drain
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
APP = "/api/auth/app/v1/auth"
OLD, NEW = "three-ripe-mangoes", "four-green-guavas"
KEY = re.compile(r"^  ([0-9a-z]+-[0-9a-z]+-[0-9a-f]{32})$", re.MULTILINE)


@pytest.fixture
def asha() -> User:
    return User.objects.create_user("asha@example.in", OLD, first_name="Asha")


def ask(client: Client, email: str = "asha@example.in") -> Any:
    return client.post(f"{APP}/password/request", {"email": email}, content_type="application/json")


def reset(client: Client, key: str, password: str = NEW) -> Any:
    body = {"key": key, "password": password}
    return client.post(f"{APP}/password/reset", body, content_type="application/json")


def log_in(password: str) -> Any:
    body = {"email": "asha@example.in", "password": password}
    return Client().post(f"{APP}/login", body, content_type="application/json")


def key_in(sink: SmtpSink) -> str:
    text = sink.mails[-1].get_body(("plain",))
    assert text is not None
    found = KEY.search(text.get_content().replace("\r\n", "\n"))
    assert found is not None
    return found[1]


def everything_stored() -> str:
    """Every row of every table, as text."""
    tables = [model for model in apps.get_models() if model._meta.managed]
    return "\n".join(str(row) for model in tables for row in model._base_manager.values_list())


def messages_in_redis() -> str:
    """Every key and value, as text."""
    client = redis.Redis.from_url(settings.QUEUE_REDIS_URL)
    return "\n".join(f"{key!r} {client.dump(key)!r}" for key in client.scan_iter())


@pytest.mark.parametrize("email", ["asha@example.in", "ASHA@Example.in"])
def test_the_mail_brings_a_key_that_changes_the_password(client: Client, asha: User, sink: SmtpSink, email: str):
    ask(client, email)
    drain(queue="email")

    answer = reset(client, key_in(sink))

    assert answer.status_code == 401  # changed, and nobody is logged in by it
    assert sink.mails[-1]["To"] == "asha@example.in"
    assert (log_in(OLD).status_code, log_in(NEW).status_code) == (400, 200)


def test_known_and_unknown_addresses_get_the_same_answer(client: Client, asha: User, sink: SmtpSink):
    User.objects.create_user("gone@example.in", OLD, is_active=False)

    answers = [ask(Client(), email) for email in ("asha@example.in", "nobody@example.in", "gone@example.in")]
    drain(queue="email")

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b'{"status": 200}')}
    assert [mail["To"] for mail in sink.mails] == ["asha@example.in"]


def test_no_secret_lies_in_the_database_the_messages_or_the_log(
    client: Client, asha: User, sink: SmtpSink, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    ask(client)
    brokers.current().publish(outbox.offer_due("email", 10))
    stored = everything_stored() + messages_in_redis()
    Outbox.objects.update(offered_at=None)
    drain(queue="email")
    stored += everything_stored() + messages_in_redis()

    secret = key_in(sink).rpartition("-")[2]
    assert str(Job.objects.get().pk) in stored
    said = [record.getMessage() for record in caplog.records if record.name != "mail.log"]  # the mail server's own
    assert any("accounts.password_reset" in line for line in said)
    assert secret not in stored + "\n".join(said)
    notification = Notification.objects.get()
    assert notification.state == "sent"
    assert notification.context == {"user_id": asha.pk, "name": "Asha", "shop": "BharatMart"}
    assert Job.objects.get().args == {"user_id": asha.pk, "notification_id": notification.pk}


def test_a_mail_server_that_is_away_leaves_no_key_behind_either(client: Client, asha: User, sink: SmtpSink):
    ask(client)
    sink.fail_next("451", keep=True)

    drain(queue="email", raises=False)

    assert key_in(sink).rpartition("-")[2] not in everything_stored()
    assert Job.objects.get().state == "waiting"


def test_a_key_works_once(client: Client, asha: User, sink: SmtpSink):
    ask(client)
    drain(queue="email")
    key = key_in(sink)
    reset(client, key)

    answer = reset(Client(), key, "five-yellow-bananas")

    assert answer.status_code == 400
    assert log_in(NEW).status_code == 200


def test_a_key_grows_old(client: Client, asha: User, sink: SmtpSink, settings: Any):
    ask(client)
    drain(queue="email")
    settings.PASSWORD_RESET_TIMEOUT = -1

    assert reset(client, key_in(sink)).status_code == 400
    assert log_in(OLD).status_code == 200


def test_a_weak_password_is_refused(client: Client, asha: User, sink: SmtpSink):
    ask(client)
    drain(queue="email")

    answer = reset(client, key_in(sink), "12345678")

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["password"])
    assert log_in(OLD).status_code == 200


def test_who_was_logged_in_elsewhere_is_so_no_more(client: Client, asha: User, sink: SmtpSink):
    token = {"X-Session-Token": log_in(OLD).json()["meta"]["session_token"]}
    assert client.get("/api/orders", headers=token).status_code == 200
    ask(client)
    drain(queue="email")

    reset(client, key_in(sink))

    assert Client().get("/api/orders", headers=token).status_code == 401


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": "new@example.in"}])
def test_an_account_that_changes_meanwhile_gets_no_key(client: Client, asha: User, sink: SmtpSink, change: Any):
    ask(client)
    User.objects.update(**change)

    drain(queue="email")

    assert not sink.mails
    assert Job.objects.get().state == "cancelled"


def test_the_link_leads_to_the_shops_own_page(client: Client, asha: User, sink: SmtpSink, settings: Any):
    settings.PASSWORD_RESET_URL = "https://shop.example/new-password#{key}"
    client.post(
        f"{APP}/password/request",
        {"email": "asha@example.in"},
        content_type="application/json",
        headers={"X-Forwarded-Host": "evil.example"},
    )
    drain(queue="email")

    html = sink.mails[-1].get_body(("html",))
    assert html is not None
    assert re.search(r'href="https://shop\.example/new-password#[0-9a-z]+-[0-9a-z]+-[0-9a-f]{32}"', html.get_content())
    assert "evil" not in html.get_content()


def test_asking_too_often_is_slowed_down(client: Client, asha: User):
    assert [ask(client).status_code for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.parametrize("email", ["", "nobody", "a" * 250 + "@example.in", None])
def test_what_is_no_address_is_refused(client: Client, email: Any):
    assert ask(client, email).status_code == 400
    assert not Notification.objects.exists()
