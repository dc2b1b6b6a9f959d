"""The simulated gateway as tests use it: a real process, found by the port that it prints, ended by its pid."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import Settings

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "payments.simulator")


class GatewayProcess:
    """A running gateway with its book."""

    def __init__(self, book: Path, *options: str) -> None:
        self.book = book
        self._options = options
        self.start()

    def start(self) -> None:
        command = [*COMMAND, "--port", "0", "--book", str(self.book), *self._options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip().removeprefix("listening on ")
        assert self.get("/health") == {"status": "ok"}

    def stop(self) -> int:
        """SIGTERM and wait; the exit code."""
        self.process.terminate()
        code = self.process.wait(timeout=30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def restart(self) -> None:
        """Another process on another port with the same book."""
        self.stop()
        self.start()

    def get(self, path: str) -> Any:
        return requests.get(self.url + path, timeout=20).json()

    def post(self, path: str, body: Any, key: str = "", timeout: float = 20) -> requests.Response:
        return requests.post(self.url + path, json=body, headers={"Idempotency-Key": key}, timeout=timeout)

    def entries(self, key: str) -> list[dict[str, Any]]:
        """What the gateway's own book says about this key."""
        return [entry for entry in self.get("/book")["entries"] if entry["key"] == key]

    def taken_paise(self, key: str) -> int:
        """The money that was really taken under this key."""
        return sum(entry["amount_paise"] for entry in self.entries(key) if entry["status"] == "captured")


@pytest.fixture(scope="session")
def gateway_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """One process for the run; keys are random, so tests do not meet in it."""
    process = GatewayProcess(tmp_path_factory.mktemp("gateway") / "book.jsonl", "--slow", "2", "--hold", "0.3")
    yield process
    process.stop()


@pytest.fixture
def gateway(gateway_process: GatewayProcess, settings: Settings) -> GatewayProcess:
    """The gateway that the shop speaks to; it ends its silences itself."""
    settings.SIMULATED_GATEWAY_URL = gateway_process.url
    return gateway_process


@pytest.fixture
def own_gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A process that a test may restart or kill."""
    gateway = GatewayProcess(tmp_path / "book.jsonl", "--hold", "30")
    yield gateway
    gateway.stop()
