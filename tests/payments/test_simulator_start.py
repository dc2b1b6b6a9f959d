"""How the gateway's process starts, or says why it does not."""

import subprocess
import sys
from pathlib import Path

import pytest

from .gateway_process import COMMAND, ROOT, GatewayProcess


def refuse_start(*arguments: str) -> str:
    """The message of a start that ends with exit code 2."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=20, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr


def test_two_processes_cannot_share_a_book(own_gateway: GatewayProcess):
    assert "another gateway" in refuse_start("--port", "0", "--book", str(own_gateway.book))


def test_taken_port_is_told(own_gateway: GatewayProcess, tmp_path: Path):
    port = own_gateway.url.rpartition(":")[2]

    assert "in use" in refuse_start("--port", port, "--book", str(tmp_path / "other.jsonl"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--port, --book"),
        (("--port", "x", "--book", "b"), "argument --port: expected a port from 0 to 65535, got 'x'"),
        (("--port", "65536", "--book", "b"), "argument --port: expected a port from 0 to 65535, got '65536'"),
        (("--port", "0"), "--book"),
        (("--port", "0", "--book", "b", "--slow", "-1"), "argument --slow: expected seconds from 0 to 86400, got '-1'"),
        (("--port", "0", "--book", "b", "--hold", "nan"), "argument --hold: expected seconds from 0 to 86400"),
        (("--port", "0", "--book", "/proc/nowhere/book"), "/proc/nowhere"),
    ],
)
def test_wrong_usage_exits_2_with_a_sentence(arguments: tuple[str, ...], message: str):
    assert message in refuse_start(*arguments)


def test_damaged_book_is_not_overlooked(tmp_path: Path):
    book = tmp_path / "book.jsonl"
    book.write_text('{"effect": "charge"\n')

    assert f"{book}, line 1: expected a JSON object" in refuse_start("--port", "0", "--book", str(book))
    assert book.read_text() == '{"effect": "charge"\n'


def test_simulator_needs_nothing_but_the_standard_library():
    code = "import sys, payments.simulator.__main__; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)

    loaded = set(done.stdout.split()) - sys.stdlib_module_names
    assert not loaded & {"django", "requests", "rest_framework", "orders", "queues", "bharatmart"}
    assert "payments" in loaded
