"""Sign-up over HTTP, as an app does it."""

import threading
from typing import Any

import pytest
from django.db import IntegrityError, connections
from django.test import Client

from bharatmart.accounts import events
from bharatmart.accounts.models import User
from notifications.models import Notification
from queues.models import Job
from queues.testing import drain
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
SIGN_UP = "/api/auth/app/v1/auth/signup"
PASSWORD = "three-ripe-mangoes"


def sign_up(client: Client, email: str = "Asha@Example.in", password: str = PASSWORD, **more: str) -> Any:
    body = {"email": email, "password": password, **more}
    return client.post(SIGN_UP, body, content_type="application/json")


def test_sign_up_makes_an_account_and_a_token_that_works(client: Client) -> None:
    answer = sign_up(client, first_name="Asha")

    user = User.objects.get()
    assert (answer.status_code, user.email, user.first_name) == (200, "asha@example.in", "Asha")
    assert user.check_password(PASSWORD)
    token = answer.json()["meta"]["session_token"]
    who = client.get("/api/auth/app/v1/auth/session", headers={"X-Session-Token": token})
    assert who.json()["data"]["user"]["email"] == "asha@example.in"


def test_welcome_is_sent_by_a_job_not_by_the_request(client: Client, sink: SmtpSink) -> None:
    sign_up(client, first_name="Asha")
    assert (sink.connections, Notification.objects.count()) == (0, 0)

    drain(queue="email")

    assert [mail["To"] for mail in sink.mails] == ["asha@example.in"]
    assert "नमस्ते Asha!" in sink.mails[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_password_is_nowhere_but_in_its_hash(client: Client) -> None:
    sign_up(client)

    assert PASSWORD not in str(list(Job.objects.values())) + str(list(User.objects.values()))


def test_taken_address_is_refused_in_any_spelling(client: Client) -> None:
    sign_up(client)
    answer = sign_up(Client(), email="ASHA@example.IN")

    assert answer.status_code == 400
    assert (answer.json()["code"], list(answer.json()["fields"])) == ("email_taken", ["email"])
    assert (User.objects.count(), Job.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_lost_race_for_an_address_is_refused_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other request commits after our form has looked."""
    really = User.save

    def rival(email: str) -> None:
        User.objects.bulk_create([User(email=email)])
        connections.close_all()

    def rival_first(user: User, *args: Any, **kwargs: Any) -> None:
        thread = threading.Thread(target=rival, args=[user.email])
        thread.start()
        thread.join()
        really(user, *args, **kwargs)

    monkeypatch.setattr(User, "save", rival_first)

    answer = sign_up(client)

    assert (answer.status_code, answer.json()["code"]) == (400, "email_taken")
    assert (User.objects.count(), Job.objects.count()) == (1, 0)


def test_failure_after_the_account_was_written_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(events.user_registered, "emit", broken)

    answer = sign_up(Client(raise_request_exception=False))

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert User.objects.count() == 0


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("no-address", PASSWORD, "email"),
        ("", PASSWORD, "email"),
        ("a" * 300 + "@example.in", PASSWORD, "email"),
        ("asha@example.in", "short", "password"),
        ("asha@example.in", "12345678901", "password"),
        ("asha@example.in", "", "password"),
        ("as\0ha@example.in", PASSWORD, "email"),
    ],
)
def test_bad_sign_up_names_the_field_and_changes_nothing(client: Client, email: str, password: str, field: str) -> None:
    answer = sign_up(client, email, password)

    assert answer.status_code == 400
    assert field in answer.json()["fields"]
    assert (User.objects.count(), Job.objects.count()) == (0, 0)


def test_endpoints_that_need_a_mail_with_a_secret_are_not_served(client: Client) -> None:
    for name in ("account/email", "auth/email/verify", "auth/code/request"):
        answer = client.post(f"/api/auth/app/v1/{name}", {"email": "a@b.in"}, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_address_in_capitals_cannot_be_stored() -> None:
    with pytest.raises(IntegrityError, match="user_email_lower"):
        User.objects.bulk_create([User(email="Asha@example.in")])
