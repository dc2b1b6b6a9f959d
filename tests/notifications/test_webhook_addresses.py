"""A webhook goes to the public Internet, and to the very address that was looked at."""

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from notifications.channels import webhook
from notifications.channels.addresses import is_allowed
from notifications.errors import AddressRefused
from tests.certificates import write_certificate
from tests.web import Web


@pytest.fixture(autouse=True)
def development(settings: Any) -> None:
    settings.DEBUG = True  # for http


def answers(monkeypatch: pytest.MonkeyPatch, **hosts: list[list[str]]) -> list[str]:
    """What the name server says to each question for a host, one list after the other; the names it was asked."""
    ask, asked = socket.getaddrinfo, []

    def say(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = str(host).removesuffix(".test")
        if name not in hosts:
            return ask(host, port, *args, **kwargs)
        asked.append(name)
        told = hosts[name].pop(0) if len(hosts[name]) > 1 else hosts[name][0]
        return [(socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in told]

    monkeypatch.setattr(socket, "getaddrinfo", say)
    return asked


PRIVATE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0",
    "fc00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:a00:1::", "::10.0.0.1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "nonsense",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_allowed(address: str):
    assert not is_allowed(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_allowed(address: str):
    assert is_allowed(address)


def test_networks_of_ones_own_can_be_allowed(settings: Any):
    settings.WEBHOOK_NETWORKS = ["10.1.2.0/24"]

    assert is_allowed("10.1.2.3")
    assert not is_allowed("10.1.3.3")


def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch):
    answers(monkeypatch, mixed=[["8.8.8.8", "10.0.0.1"]])

    with pytest.raises(AddressRefused, match=r"mixed\.test leads to 10\.0\.0\.1"):
        webhook.post("http://mixed.test/hook", b"{}", {}, 1)


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(
    web: Web, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    settings.WEBHOOK_NETWORKS = ["127.0.0.1/32"]
    asked = answers(monkeypatch, rebind=[["127.0.0.1"], ["127.0.0.2"]])

    assert webhook.post(f"http://rebind.test:{web.port}/hook", b"{}", {}, 5) == 200

    assert asked == ["rebind"]
    assert web.asked[0].headers["host"] == f"rebind.test:{web.port}"


def test_a_redirect_is_an_answer_like_any_other(web: Web, settings: Any):
    settings.WEBHOOK_NETWORKS = ["127.0.0.1/32"]
    web.answer(307, headers={"Location": f"{web.url}/inside"})

    assert webhook.post(f"{web.url}/hook", b"{}", {}, 5) == 307

    assert [asked.path for asked in web.asked] == ["/hook"]


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook", "ftp://shop.example", "https://", "https:///hook", "https://user:pw@shop.example/",
        "https://shop.example/#part", "https://shop.example:0/", "https://shop.example:99999/", "https://[::1",
        "https://shop.example/a b", "https://shop.example/\r\nHost: x", "https://श.example/", "", "javascript:1",
    ],
)  # fmt: skip
def test_what_is_no_https_address_is_a_mistake(settings: Any, url: str):
    settings.DEBUG = False

    assert webhook.mistake_in(url)
    with pytest.raises(AddressRefused):
        webhook.post(url, b"{}", {}, 1)


def test_a_sound_address_is_none(settings: Any):
    settings.DEBUG = False

    assert webhook.mistake_in("https://shop.example:8443/hook?shop=1") == ""


def test_a_certificate_must_be_of_the_name_and_trusted(
    web: Web, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    settings.WEBHOOK_NETWORKS = ["127.0.0.1/32"]
    answers(monkeypatch, hooks=[["127.0.0.1"]], other=[["127.0.0.1"]])
    certificate = write_certificate(tmp_path / "hooks.pem", "hooks.test")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    web.server.socket = server.wrap_socket(web.server.socket, server_side=True)
    url = f"https://{{}}.test:{web.port}/hook"

    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        webhook.post(url.format("hooks"), b"{}", {}, 5)
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
    assert webhook.post(url.format("hooks"), b"{}", {}, 5) == 200
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        webhook.post(url.format("other"), b"{}", {}, 5)
