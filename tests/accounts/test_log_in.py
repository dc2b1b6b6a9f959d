"""Log-in and log-out over HTTP, for apps (token) and browsers (cookie)."""

from typing import Any

import pytest
from django.test import Client

from bharatmart.accounts.models import User

pytestmark = pytest.mark.django_db
APP, BROWSER = "/api/auth/app/v1/auth", "/api/auth/browser/v1/auth"
PASSWORD = "three-ripe-mangoes"


@pytest.fixture
def asha() -> User:
    return User.objects.create_user("asha@example.in", PASSWORD)


def log_in(
    client: Client, password: str = PASSWORD, email: str = "asha@example.in", base: str = APP, **more: Any
) -> Any:
    body = {"email": email, "password": password}
    return client.post(f"{base}/login", body, content_type="application/json", **more)


def token_of(answer: Any) -> dict[str, str]:
    return {"X-Session-Token": answer.json()["meta"]["session_token"]}


@pytest.mark.parametrize("email", ["asha@example.in", "ASHA@Example.in"])
def test_app_logs_in_and_out(client: Client, asha: User, email: str) -> None:
    token = token_of(log_in(client, email=email))
    assert client.get(f"{APP}/session", headers=token).status_code == 200

    assert client.delete(f"{APP}/session", headers=token).status_code == 401

    gone = client.get(f"{APP}/session", headers=token)
    assert (gone.status_code, gone.json()["code"]) == (410, "session_gone")


def test_wrong_password_is_refused_without_saying_which_was_wrong(client: Client, asha: User) -> None:
    wrong, unknown = log_in(client, "wrong"), log_in(client, email="nobody@example.in")

    assert wrong.status_code == unknown.status_code == 400
    assert wrong.json() == unknown.json()
    assert wrong.json()["code"] == "email_password_mismatch"


def test_deactivated_account_cannot_log_in_and_its_token_is_void(client: Client, asha: User) -> None:
    token = token_of(log_in(client))
    User.objects.update(is_active=False)

    assert log_in(Client()).status_code == 401
    assert client.get(f"{APP}/session", headers=token).status_code == 401


def test_browser_logs_in_with_cookie_and_csrf_token(asha: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/api/auth/browser/v1/config")
    csrf = {"X-CSRFToken": client.cookies["csrftoken"].value}

    assert log_in(client, base=BROWSER, headers=csrf).status_code == 200

    session = client.get(f"{BROWSER}/session")
    assert session.json()["data"]["user"]["id"] == asha.pk
    assert "session_token" not in session.json()["meta"]


def test_browser_without_csrf_token_is_refused_in_json(asha: User) -> None:
    answer = log_in(Client(enforce_csrf_checks=True), base=BROWSER)

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_many_wrong_passwords_are_slowed_down(client: Client, asha: User) -> None:
    codes = [log_in(client, "wrong").json()["code"] for _ in range(6)]

    assert codes == ["email_password_mismatch"] * 5 + ["too_many_login_attempts"]
    assert log_in(client).status_code == 400


def test_password_change_asks_for_the_old_one(client: Client, asha: User) -> None:
    token = token_of(log_in(client))
    url = "/api/auth/app/v1/account/password/change"

    def change(old: str) -> Any:
        body = {"current_password": old, "new_password": "four-green-guavas"}
        return client.post(url, body, content_type="application/json", headers=token)

    assert change("wrong").json()["fields"].keys() == {"current_password"}
    assert change(PASSWORD).status_code == 200
    assert log_in(Client(), "four-green-guavas").status_code == 200


def test_staff_log_in_to_the_admin_by_address(client: Client) -> None:
    User.objects.create_superuser("boss@example.in", PASSWORD)

    answer = client.post("/admin/login/?next=/admin/", {"username": "Boss@example.in", "password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.get("/admin/accounts/user/?q=boss").status_code == 200
    assert client.get("/admin/accounts/user/add/").status_code == 200
