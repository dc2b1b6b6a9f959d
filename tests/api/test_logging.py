"""What the log says, and what it never says."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings as django_settings
from django.test import Client

from bharatmart.accounts.models import User
from bharatmart.log import JsonFormatter, logging_settings

PASSWORD = "three-ripe-mangoes"


@pytest.fixture
def form() -> str:
    return "json"


in_both_forms = pytest.mark.parametrize("form", ["json", "console"])


@pytest.fixture
def log(form: str) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    chosen = logging_settings("DEBUG", form)
    chosen["handlers"]["console"]["stream"] = stream
    logging.config.dictConfig(chosen)
    yield stream
    logging.config.dictConfig(django_settings.LOGGING)


@pytest.fixture
def lines(log: io.StringIO) -> Any:
    return lambda: [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.django_db
def test_request_is_one_line_with_its_id(client: Client, lines: Any) -> None:
    user = User.objects.create_user("asha@example.in")
    client.force_login(user)

    answer = client.get("/api/orders?search=private", headers={"X-Request-ID": "order-page-17"})

    line = next(line for line in lines() if line["event"] == "request")
    assert answer["X-Request-ID"] == line["request_id"] == "order-page-17"
    assert (line["method"], line["path"], line["status"], line["user_id"]) == ("GET", "/api/orders", 200, user.pk)
    assert line["duration_ms"] > 0
    assert "private" not in str(line)


@pytest.mark.parametrize("given", ["short", "a b c d e f g h", "x" * 65, "line\nbreak-in-it", "नमस्ते-नमस्ते", ""])
def test_strange_request_id_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/api/health", headers={"X-Request-ID": given})

    assert len(answer["X-Request-ID"]) == 32


@pytest.mark.urls("tests.api.urls_for_errors")
def test_bug_is_logged_with_traceback_and_request_id(lines: Any) -> None:
    answer = Client(raise_request_exception=False).get("/api/test/bug")

    line = next(line for line in lines() if "exception" in line)
    assert line["request_id"] == answer["X-Request-ID"]
    assert line["exception"][0]["exc_type"] == "ZeroDivisionError"


@in_both_forms
@pytest.mark.django_db
def test_secrets_of_a_log_in_are_never_logged(client: Client, log: io.StringIO) -> None:
    User.objects.create_user("asha@example.in", PASSWORD)
    body = {"email": "asha@example.in", "password": PASSWORD}
    answer = client.post("/api/auth/app/v1/auth/login", body, content_type="application/json")
    token = answer.json()["meta"]["session_token"]
    client.get("/api/orders", headers={"X-Session-Token": token, "Authorization": "Bearer hush-hush"})
    client.post("/api/auth/app/v1/auth/login", "{" + PASSWORD, content_type="application/json")

    text = log.getvalue()
    assert "/api/auth/app/v1/auth/login" in text
    assert not [secret for secret in (PASSWORD, token, "hush-hush") if secret in text]


@in_both_forms
def test_values_under_secret_names_are_masked_at_any_depth(log: io.StringIO) -> None:
    secrets = {"password": "aaa1", "nested": [{"X-Session-Token": "aaa2", "deep": {"Authorization": "aaa3"}}]}

    structlog.stdlib.get_logger("test").warning("tried", api_key="aaa4", order_id=7, headers=secrets)

    text = log.getvalue()
    assert "aaa" not in text
    assert "***" in text
    assert "order_id" in text


@in_both_forms
def test_traceback_shows_no_values(log: io.StringIO) -> None:
    def fail(card_number: str) -> None:
        raise ZeroDivisionError("no values")

    try:
        fail("4111" + "1111")
    except ZeroDivisionError:
        logging.getLogger("orders").exception("it broke")
        structlog.stdlib.get_logger("orders").exception("it broke")

    text = log.getvalue()
    assert text.count("it broke") == 2
    assert text.count("ZeroDivisionError: no values") + text.count('"exc_value": "no values"') == 2
    assert "41111111" not in text


@pytest.mark.parametrize("name", ["rq.worker", "rq.scheduler", "django.request", "gunicorn.error", "orders.anything"])
def test_libraries_log_through_the_same_door_once(lines: Any, name: str) -> None:
    logging.getLogger(name).error("%s of %d", "₹ three", 5)

    assert [(line["event"], line["level"], line["logger"]) for line in lines()] == [("₹ three of 5", "error", name)]


@pytest.mark.parametrize("message", ["done", 'said "no"', "नमस्ते\nनमस्ते", ""])
def test_message_alone_takes_the_short_way_to_the_same_line(log: io.StringIO, message: str) -> None:
    formatter = next(h.formatter for h in logging.getLogger().handlers if isinstance(h.formatter, JsonFormatter))
    record = logging.makeLogRecord({"name": "queues.job", "levelname": "INFO", "levelno": 20, "msg": message})

    short, long = json.loads(formatter.format(record)), json.loads(super(JsonFormatter, formatter).format(record))

    assert list(short) == list(long)
    assert {**short, "timestamp": ""} == {**long, "timestamp": ""}
    assert len(short["timestamp"]) == len(long["timestamp"])


def test_bound_values_are_on_a_line_that_has_no_other(log: io.StringIO, lines: Any) -> None:
    with structlog.contextvars.bound_contextvars(request_id="order-page-17"):
        logging.getLogger("shop").info("paid %d of %d", 1, 2)

    assert lines()[0] | {"timestamp": ""} == {
        "event": "paid 1 of 2",
        "request_id": "order-page-17",
        "logger": "shop",
        "level": "info",
        "timestamp": "",
    }
