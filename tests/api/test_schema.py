"""The API's description and its page."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

pytestmark = pytest.mark.django_db


class Addresses(HTMLParser):
    """Every address that a browser would load or offer."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]


@pytest.fixture
def schema(client: Client) -> dict[str, Any]:
    return json.loads(client.get("/api/schema?format=json").content)  # type: ignore[no-any-return]


def test_schema_is_valid_and_complete(tmp_path: Any) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))


def test_every_address_of_the_issue_is_described(schema: dict[str, Any]) -> None:
    assert {
        "/api/products",
        "/api/orders",
        "/api/queues/stats",
        "/api/health",
        "/api/health/ready",
        "/api/auth/app/v1/auth/signup",
        "/api/auth/app/v1/auth/login",
        "/api/auth/browser/v1/auth/session",
    } <= schema["paths"].keys()


def test_described_addresses_exist(client: Client, schema: dict[str, Any]) -> None:
    for path in schema["paths"]:
        url = re.sub(r"{[^}]*}", "1", path)
        assert "no such route" not in str(client.get(url).content), path
        assert client.options(url).status_code != 404 or "{" in path, path


def test_every_operation_describes_the_error_shape(schema: dict[str, Any]) -> None:
    for path in schema["paths"].values():
        for operation in path.values():
            assert "default" in operation["responses"]
    assert schema["components"]["schemas"]["Error"]["required"] == ["code", "message", "fields"]


def test_session_token_and_idempotency_key_are_described(schema: dict[str, Any]) -> None:
    token = schema["components"]["securitySchemes"]["sessionToken"]
    assert (token["in"], token["name"]) == ("header", "X-Session-Token")
    parameters = schema["paths"]["/api/orders"]["post"]["parameters"]
    keys = [parameter for parameter in parameters if parameter["name"] == "Idempotency-Key"]
    assert [(key["in"], key["required"]) for key in keys] == [("header", True)]


def test_lists_are_described_as_they_are(schema: dict[str, Any]) -> None:
    operation = schema["paths"]["/api/products"]["get"]
    assert {"limit", "cursor"} <= {parameter["name"] for parameter in operation["parameters"]}


def test_page_loads_nothing_from_outside(client: Client) -> None:
    html = client.get("/api/docs").content.decode()

    addresses = Addresses(html).found
    assert len(addresses) >= 4
    assert all(address.startswith("/static/drf_spectacular_sidecar/") for address in addresses)
    assert not re.findall(r"(?:https?:)?//[\w.-]+\.\w+", html.split("<script>")[0])
    assert re.findall(r"https?://[^\s\"']+", html) == []
    assert '"validatorUrl": null' in html


def test_all_that_the_page_loads_is_there(client: Client) -> None:
    from django.contrib.staticfiles import finders

    for address in Addresses(client.get("/api/docs").content.decode()).found:
        assert finders.find(address.removeprefix("/static/")), address


def test_root_leads_to_the_page(client: Client) -> None:
    assert client.get("/")["Location"] == "/api/docs"
