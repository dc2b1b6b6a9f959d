"""Ctrl-C, SIGTERM and SIGHUP all end the demo in the same way: by KeyboardInterrupt, so that everything is put away."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_held = 0
_came = 0


def install() -> None:
    """Call once, in the main thread; SIGINT counts also where a shell had it ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def exit_code() -> int:
    """What to exit with after an interrupt, as a shell would."""
    return 128 + (_came or signal.SIGINT)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Let an interrupt wait for the end of the block, where one at the wrong moment would leave something behind."""
    global _held  # noqa: PLW0603  signal handlers are one per process
    before, _held = _came, _held + 1
    try:
        yield
    finally:
        _held -= 1
    if _came != before:
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _came  # noqa: PLW0603
    _came = number
    if not _held:
        raise KeyboardInterrupt
