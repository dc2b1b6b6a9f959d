"""What the client makes of a gateway that misbehaves on the wire: a scripted server answers with raw bytes."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from payments.gateways.base import GatewayError, GatewayRefused, GatewayUnavailable, GatewayUnknown, Intent
from payments.gateways.simulated import SimulatedGateway

from .gateway_process import GatewayProcess

INTENT = Intent(key="pay-1", amount_paise=100, currency="INR", token="tok_success")
Script = Callable[[bytes], None]


def answer(status: str, body: str = "", declared: int | None = None) -> bytes:
    """A raw HTTP answer; `declared` lies about the length of its body."""
    length = len(body) if declared is None else declared
    return f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}".encode()


@pytest.fixture
def wire(settings: Settings) -> Iterator[Script]:
    """Takes the bytes to answer every request with; b"" resets the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        said = [b""]
        settings.SIMULATED_GATEWAY_URL = f"http://127.0.0.1:{server.getsockname()[1]}"
        threading.Thread(target=_serve, args=(server, said), daemon=True).start()
        yield lambda raw: said.__setitem__(0, raw)
        server.shutdown(socket.SHUT_RDWR)


def _serve(server: socket.socket, said: list[bytes]) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        with client:
            client.recv(65_536)
            if said[0]:
                client.sendall(said[0])
            else:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


CHARGE = '{"status": "captured", "reference": "ch_1", "amount_paise": 100, "currency": "INR"}'


def test_the_wire_carries_a_good_answer(wire: Script):
    wire(answer("200 OK", CHARGE))

    assert SimulatedGateway().charge(INTENT).reference == "ch_1"


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"", GatewayUnknown),
        (b"nonsense\r\n\r\n", GatewayUnknown),
        (answer("200 OK", "<html>All is well</html>"), GatewayUnknown),
        (answer("200 OK", "[]"), GatewayUnknown),
        (answer("200 OK", "{}"), GatewayUnknown),
        (answer("200 OK", CHARGE.replace("100", '"100"')), GatewayUnknown),
        (answer("200 OK", CHARGE.replace("captured", "perhaps")), GatewayUnknown),
        (answer("200 OK", CHARGE.replace("100", "0")), GatewayUnknown),
        (answer("200 OK", CHARGE.replace("100", "-100")), GatewayUnknown),
        (answer("200 OK", CHARGE.replace("100", "9" * 30)), GatewayUnknown),
        (answer("200 OK", CHARGE.replace("ch_1", "ch_\\u0000")), GatewayUnknown),
        (answer("200 OK", CHARGE.replace("ch_1", "")), GatewayUnknown),
        (answer("200 OK", CHARGE.replace("ch_1", "c" * 256)), GatewayUnknown),
        (answer("200 OK", CHARGE[:-9], declared=len(CHARGE)), GatewayUnknown),
        (answer("302 Found", "{}"), GatewayUnknown),
        (answer("500 Internal Server Error", "{}"), GatewayUnknown),
        (answer("503 Service Unavailable", "<html>Try later</html>"), GatewayUnknown),
        (answer("402 Payment Required", "{}"), GatewayUnknown),
        (answer("404 Not Found", "<html>A proxy</html>"), GatewayUnknown),
        (answer("429 Too Many Requests", "{}"), GatewayUnavailable),
        (answer("400 Bad Request", "{}"), GatewayRefused),
        (answer("401 Unauthorized", '{"error": "key"}'), GatewayRefused),
        (answer("404 Not Found", '{"error": {"code": "no_such_page"}}'), GatewayRefused),
        (answer("409 Conflict", '{"error": {"code": "idempotency_key_reused"}}'), GatewayRefused),
    ],
)
def test_trouble_is_sorted_by_what_may_have_happened(wire: Script, raw: bytes, error: type[GatewayError]):
    wire(raw)

    with pytest.raises(GatewayError) as charge:
        SimulatedGateway().charge(INTENT)
    with pytest.raises(GatewayError) as fetch:
        SimulatedGateway().fetch(INTENT)

    assert charge.type is error
    assert fetch.type in (error, GatewayRefused)


def test_only_the_gateways_own_word_says_that_an_intent_is_unknown(wire: Script):
    wire(answer("404 Not Found", '{"error": {"code": "not_found"}}'))

    assert SimulatedGateway().fetch(INTENT) is None


def test_reason_that_cannot_be_stored_does_not_hide_the_outcome(wire: Script):
    wire(
        answer("402 Payment Required", CHARGE.replace("captured", "declined")[:-1] + r', "reason": "no\u0000\ud800pe"}')
    )

    assert SimulatedGateway().charge(INTENT).reason == "nope"


def test_silence_ends_with_the_time_out(settings: Settings):
    settings.GATEWAY_TIMEOUT = 0.3
    started = time.monotonic()

    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes its connections, and nobody answers
        settings.SIMULATED_GATEWAY_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(GatewayUnknown):
            SimulatedGateway().charge(INTENT)

    assert time.monotonic() - started < 20


def test_environment_cannot_send_the_money_through_a_proxy(wire: Script, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    wire(answer("200 OK", CHARGE))

    assert SimulatedGateway().charge(INTENT).reference == "ch_1"


def test_keys_are_quoted_in_addresses(gateway: GatewayProcess):
    intent = Intent("../book?x=/%2F#", 100, "INR", "tok_success")

    charge = SimulatedGateway().charge(intent)

    assert SimulatedGateway().fetch(intent) == SimulatedGateway().cancel(intent) == charge
