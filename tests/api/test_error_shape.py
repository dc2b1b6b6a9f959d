"""Every error under /api/ is `{code, message, fields}` as JSON, whoever made it."""

import json
from typing import Any

import pytest
from django.test import Client

from bharatmart.accounts.models import User
from bharatmart.api.errors import fields_of

pytestmark = pytest.mark.django_db
JSON = "application/json"
LOG_IN = "/api/auth/app/v1/auth/login"
HALF = '{"email": "a@example.in", "password": "\\ud800-mangoes"}'
HUGE = "[" + "1," * 600_000 + "1]"
WRONG_TOKEN = {"X-Session-Token": "a" * 32}

NONSENSE = {
    "unknown route": ("GET", "/api/nothing", {}, 404, "not_found"),
    "unknown route below another": ("GET", "/api/orders/1/nothing/2", {}, 404, "not_found"),
    "only a prefix": ("GET", "/api/", {}, 404, "not_found"),
    "encoded nonsense": ("GET", "/api/%00%ff%F0%9F%92%A9", {}, 404, "not_found"),
    "slash too many": ("GET", "/api/health/", {}, 404, "not_found"),
    "wrong method": ("DELETE", "/api/health", {}, 405, "method_not_allowed"),
    "wrong method of allauth": ("PUT", LOG_IN, {"data": "{}", "content_type": JSON}, 400, "invalid"),
    "unheard-of method": ("BREW", "/api/health", {}, 405, "method_not_allowed"),
    "no log-in": ("GET", "/api/orders", {}, 401, "not_authenticated"),
    "no log-in, staff only": ("GET", "/api/queues/stats", {}, 401, "not_authenticated"),
    "wrong token": ("GET", "/api/orders", {"headers": WRONG_TOKEN}, 401, "invalid_token"),
    "wrong token where none is needed": ("GET", "/api/products", {"headers": WRONG_TOKEN}, 401, "invalid_token"),
    "empty token": ("GET", "/api/products", {"headers": {"X-Session-Token": ""}}, 401, "invalid_token"),
    "token of nonsense": ("GET", "/api/products", {"headers": {"X-Session-Token": "\0'--"}}, 401, "invalid_token"),
    "token of allauth gone": ("GET", "/api/auth/app/v1/auth/session", {"headers": WRONG_TOKEN}, 410, "session_gone"),
    "malformed JSON for allauth": ("POST", LOG_IN, {"data": "{", "content_type": JSON}, 400, "parse_error"),
    "no object for allauth": ("POST", LOG_IN, {"data": "[1]", "content_type": JSON}, 400, "bad_request"),
    "deep nesting for allauth": ("POST", LOG_IN, {"data": "[" * 9999, "content_type": JSON}, 400, "parse_error"),
    "half a character for allauth": ("POST", LOG_IN, {"data": HALF, "content_type": JSON}, 400, "parse_error"),
    "huge body for allauth": ("POST", LOG_IN, {"data": HUGE, "content_type": JSON}, 413, "request_too_large"),
    "huge body": ("POST", "/api/orders", {"data": HUGE, "content_type": JSON}, 413, "request_too_large"),
    "foreign host": ("GET", "/api/health", {"headers": {"host": "evil.example"}}, 400, "bad_request"),
    "cursor of nonsense": ("GET", "/api/products?cursor=%00%ff", {}, 400, "invalid"),
    "limit of nonsense": ("GET", "/api/products?limit=-1", {}, 400, "invalid"),
}


def error_of(answer: Any) -> dict[str, Any]:
    """The body, after checking that it has the shape."""
    assert answer["Content-Type"] == JSON
    assert int(answer["Content-Length"]) == len(answer.content)
    body: dict[str, Any] = json.loads(answer.content)
    assert {"code", "message", "fields"} <= body.keys()
    assert (type(body["code"]), type(body["message"]), type(body["fields"])) == (str, str, dict)
    assert body["message"]
    return body


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_gets_the_shape(client: Client, settings: Any, name: str, debug: bool) -> None:
    settings.DEBUG = debug
    method, url, request, status, code = NONSENSE[name]

    answer = client.generic(method, url, **request)  # type: ignore[arg-type]

    assert (answer.status_code, error_of(answer)["code"]) == (status, code)


BODIES = {
    "malformed JSON": ("{", JSON, 400, "parse_error"),
    "not UTF-8": (b"\xff\xfe{}", JSON, 400, "parse_error"),
    "deep nesting": ("[" * 100_000, JSON, 400, "parse_error"),
    "infinite number": ('{"lines": [{"quantity": Infinity}]}', JSON, 400, "parse_error"),
    "half a character": ('{"lines": "\\ud800"}', JSON, 400, "parse_error"),
    "endless number": ('{"lines": [{"quantity": ' + "9" * 5000 + "}]}", JSON, 400, "parse_error"),
    "a form": ("lines=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
    "XML": ("<lines/>", "text/xml", 415, "unsupported_media_type"),
    "a list": ("[]", JSON, 400, "invalid"),
    "nothing": ("", JSON, 400, "invalid"),
}


@pytest.mark.urls("tests.api.urls_for_errors")
@pytest.mark.parametrize("name", BODIES)
def test_nonsense_in_the_body_gets_the_shape(client: Client, name: str) -> None:
    body, content_type, status, code = BODIES[name]

    answer = client.generic("POST", "/api/test/stock", body, content_type)

    assert (answer.status_code, error_of(answer)["code"]) == (status, code)


@pytest.mark.urls("tests.api.urls_for_errors")
@pytest.mark.parametrize(
    ("name", "status", "code", "fields"),
    [
        ("missing", 404, "not_found", {}),
        ("denied", 403, "permission_denied", {}),
        ("stock", 409, "out_of_stock", {"TEA": "3 left"}),
        ("bug", 500, "internal_error", {}),
        ("plain", 500, "internal_error", {}),
        ("database", 503, "unavailable", {}),
        ("plain-database", 503, "unavailable", {}),
        ("throttled", 429, "throttled", {}),
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_error_of_a_view_gets_the_shape(
    settings: Any, name: str, status: int, code: str, fields: dict[str, str], debug: bool
) -> None:
    settings.DEBUG = debug
    client = Client(raise_request_exception=False)

    answer = client.get(f"/api/test/{name}")

    body = error_of(answer)
    assert (answer.status_code, body["code"], body["fields"]) == (status, code, fields)
    assert "secret" not in answer.content.decode()
    assert "10.0.0.7" not in answer.content.decode()


@pytest.mark.urls("tests.api.urls_for_errors")
def test_waiting_time_is_told(client: Client) -> None:
    assert client.get("/api/test/throttled")["Retry-After"] == "8"
    assert client.get("/api/test/database")["Retry-After"] == "5"


@pytest.mark.urls("tests.api.urls_for_errors")
def test_validation_names_the_place(client: Client) -> None:
    lines = [{"quantity": 1}, {"quantity": 0}, {}]

    answer = client.post("/api/test/stock", {"lines": lines}, content_type=JSON)

    fields = error_of(answer)["fields"]
    assert sorted(fields) == ["lines.1.quantity", "lines.2.quantity"]
    assert fields["lines.2.quantity"] == ["This field is required."]


def test_fields_are_flat() -> None:
    detail = {"non_field_errors": ["a"], "lines": {"non_field_errors": ["b"], "0": ["c"]}, "x": "d"}

    assert fields_of(detail) == {"request": ["a"], "lines": ["b"], "lines.0": ["c"], "x": ["d"]}
    assert fields_of(["alone"]) == {"request": ["alone"]}


def test_challenge_says_how_to_log_in(client: Client) -> None:
    assert client.get("/api/orders")["WWW-Authenticate"] == 'X-Session-Token realm="api"'


def test_expired_browser_session_is_401_not_403(client: Client) -> None:
    client.force_login(User.objects.create_user("asha@example.in"))
    client.session.flush()

    assert client.get("/api/orders").status_code == 401


def test_pages_outside_the_api_stay_html(client: Client) -> None:
    answer = client.get("/nothing")

    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")
