"""The command: `python -m payments.simulator --port P --book FILE`."""

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

from .bank import TOKENS, Bank
from .book import Book, BookDamaged, BookInUse
from .server import Faults, Gateway

LAST_PORT = 65_535
A_DAY = 86_400


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C. Usage errors exit 2."""
    parser = _parser()
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        bank = Bank(Book(options.book))
        server = Gateway((options.host, options.port), bank, Faults(slow=options.slow, hold=options.hold))
    except (OSError, BookInUse, BookDamaged) as error:
        parser.error(str(error))
    print(f"listening on http://{options.host}:{server.server_port}", flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        bank.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m payments.simulator", description=f"Tokens: {', '.join(TOKENS)}.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", required=True, type=_port, help="port to listen on; 0 takes a free one and prints it")
    parser.add_argument("--book", required=True, type=Path, help="file of JSON lines to append every effect to")
    parser.add_argument("--slow", default=2.0, type=_seconds, help="delay of tok_slow (default: %(default)s s)")
    parser.add_argument("--hold", default=120.0, type=_seconds, help="longest silence of time-outs (%(default)s s)")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > LAST_PORT:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= A_DAY:
        raise argparse.ArgumentTypeError(f"expected seconds from 0 to 86400, got {text!r}")
    return seconds


def _stop(signum: int, frame: Any) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
