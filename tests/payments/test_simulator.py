"""The gateway's process: its book, its memory for keys, its end."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.processes import wait_for

from .gateway_process import GatewayProcess


def body(token: str = "tok_success", amount_paise: int = 100) -> dict[str, Any]:
    return {"amount_paise": amount_paise, "currency": "INR", "token": token}


def test_book_is_one_json_line_per_effect(own_gateway: GatewayProcess):
    own_gateway.post("/charges", body(), "a")
    own_gateway.post("/charges", body(), "a")
    own_gateway.post("/charges", body("tok_decline"), "b")
    own_gateway.post("/charges/c/cancel", {})
    own_gateway.post("/charges/a/refunds", {"amount_paise": 40}, "d")

    lines = [json.loads(line) for line in own_gateway.book.read_text().splitlines()]

    assert [(line["effect"], line["key"], line["status"]) for line in lines] == [
        ("charge", "a", "captured"),
        ("charge", "b", "declined"),
        ("cancel", "c", "cancelled"),
        ("refund", "d", "succeeded"),
    ]
    assert own_gateway.get("/book") == {"entries": lines}


@pytest.mark.parametrize("token", ["tok_success", "tok_decline", "tok_error_after", "tok_invented"])
def test_same_key_gets_the_first_answer_also_after_a_restart(own_gateway: GatewayProcess, token: str):
    first = own_gateway.post("/charges", body(token), "a")

    again = own_gateway.post("/charges", body(token), "a")
    own_gateway.restart()
    later = own_gateway.post("/charges", body(token), "a")

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert (first.status_code, first.json()) == (later.status_code, later.json())
    assert len(own_gateway.entries("a")) == 1


def test_key_with_other_parameters_is_a_conflict_also_after_a_restart(own_gateway: GatewayProcess):
    own_gateway.post("/charges", body(), "a")
    own_gateway.restart()

    other = own_gateway.post("/charges", body(amount_paise=101), "a")

    assert other.status_code == 409
    assert other.json()["error"]["code"] == "idempotency_key_reused"
    assert len(own_gateway.entries("a")) == 1


def test_voided_key_and_refunds_are_remembered(own_gateway: GatewayProcess):
    own_gateway.post("/charges/a/cancel", {})
    own_gateway.post("/charges", body(), "b")
    refund = own_gateway.post("/charges/b/refunds", {"amount_paise": 100}, "c").json()
    own_gateway.restart()

    assert own_gateway.post("/charges", body(), "a").json()["status"] == "cancelled"
    assert own_gateway.post("/charges/b/refunds", {"amount_paise": 100}, "c").json() == refund
    assert own_gateway.post("/charges/b/refunds", {"amount_paise": 1}, "d").status_code == 402


def test_half_a_line_left_by_a_crash_never_happened(own_gateway: GatewayProcess):
    own_gateway.post("/charges", body(), "a")
    own_gateway.stop()
    with own_gateway.book.open("a") as book:
        book.write('{"effect": "charge", "key": "b", "amou')
    own_gateway.start()

    assert own_gateway.entries("b") == []
    assert own_gateway.post("/charges", body(), "b").status_code == 200
    own_gateway.restart()
    assert [entry["key"] for entry in own_gateway.get("/book")["entries"]] == ["a", "b"]


def test_charge_is_found_by_key_and_by_reference(own_gateway: GatewayProcess):
    charge = own_gateway.post("/charges", body(), "a").json()

    assert own_gateway.get("/charges/a") == own_gateway.get(f"/charges/{charge['reference']}") == charge
    assert own_gateway.post(f"/charges/{charge['reference']}/cancel", {}).json() == charge


def test_fifty_requests_at_once_have_one_effect(own_gateway: GatewayProcess):
    answers: list[Any] = []
    senders = [
        threading.Thread(target=lambda: answers.append(own_gateway.post("/charges", body(), "a").json()))
        for _ in range(50)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()

    assert len(answers) == 50
    assert all(answer == answers[0] for answer in answers)
    assert len(own_gateway.entries("a")) == 1


@pytest.mark.parametrize(
    ("path", "key", "sent"),
    [
        ("/charges", "", body()),
        ("/charges", "k" * 256, body()),
        ("/charges", "a", body(amount_paise=0)),
        ("/charges", "a", body(amount_paise=-1)),
        ("/charges", "a", body(amount_paise=2**63)),
        ("/charges", "a", {**body(), "amount_paise": 1.5}),
        ("/charges", "a", {**body(), "amount_paise": True}),
        ("/charges", "a", {**body(), "amount_paise": "100"}),
        ("/charges", "a", {**body(), "currency": ""}),
        ("/charges", "a", {"amount_paise": 100, "currency": "INR"}),
        ("/charges", "a", [1]),
        ("/charges", "a", {**body(), "token": "x" * 70_000}),
        ("/charges/a/refunds", "r", {"amount_paise": 0}),
    ],
)
def test_bad_request_is_refused_without_an_effect(gateway_process: GatewayProcess, path: str, key: str, sent: Any):
    before = gateway_process.get("/book")

    answer = gateway_process.post(path, sent, key)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"
    assert gateway_process.get("/book") == before


def test_body_that_is_not_json_is_refused(gateway_process: GatewayProcess):
    answer = requests.post(
        gateway_process.url + "/charges", data=b"\xff{", headers={"Idempotency-Key": "a"}, timeout=20
    )

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "The body must be JSON.")


@pytest.mark.parametrize("path", ["/", "/charges", "/charges/a/b/c", "/nothing"])
def test_unknown_address_is_told_from_an_unknown_charge(gateway_process: GatewayProcess, path: str):
    assert gateway_process.get(path)["error"]["code"] == "no_such_page"
    assert gateway_process.get("/charges/never-seen")["error"]["code"] == "not_found"


@pytest.mark.parametrize(("token", "effects"), [("tok_timeout_before", 0), ("tok_timeout_after", 1)])
def test_held_connection_is_let_go_with_its_client(own_gateway: GatewayProcess, token: str, effects: int):
    with pytest.raises(requests.ReadTimeout):
        own_gateway.post("/charges", body(token), "a", timeout=2)

    wait_for(lambda: len(own_gateway.entries("a")) == effects)
    assert own_gateway.post("/charges", body(token), "a").json()["status"] == "captured"
    assert len(own_gateway.entries("a")) == 1


def test_silence_has_an_end(tmp_path: Path):
    gateway = GatewayProcess(tmp_path / "book.jsonl", "--hold", "0.1")

    with pytest.raises(requests.ConnectionError):
        gateway.post("/charges", body("tok_timeout_after"), "a")

    gateway.stop()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_at_once_with_connections_held(own_gateway: GatewayProcess, signum: signal.Signals):
    session = requests.Session()
    waiting = threading.Thread(target=lambda: _ignore_errors(session, own_gateway.url))
    waiting.start()
    wait_for(lambda: own_gateway.entries("a"))

    own_gateway.process.send_signal(signum)

    assert own_gateway.process.wait(timeout=20) == 0  # it would hold the connection for 30 s
    waiting.join()
    session.close()


def _ignore_errors(session: requests.Session, url: str) -> None:
    with pytest.raises(requests.ConnectionError):
        session.post(url + "/charges", json=body("tok_timeout_after"), headers={"Idempotency-Key": "a"}, timeout=25)


def test_kill_loses_nothing_that_was_answered(own_gateway: GatewayProcess):
    charge = own_gateway.post("/charges", body(), "a").json()
    own_gateway.process.kill()
    own_gateway.process.wait(timeout=20)
    own_gateway.restart()

    assert own_gateway.get("/charges/a") == charge
