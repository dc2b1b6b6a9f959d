"""Progress: on a terminal one line that changes, elsewhere a line every few seconds."""

import sys
import time

EVERY = 5.0  # seconds between lines where nobody can rewrite one
QUICK = 0.2


class Telling:
    """Says where the benchmark stands."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty()
        self.heading = ""
        self.said_at = 0.0
        self.open = False

    def say(self, text: str) -> None:
        """A line that stays."""
        if self.open:
            print("\r\033[K", end="")
            self.open = False
        print(text, flush=True)

    def head(self, text: str) -> None:
        """What is going on from here."""
        self.heading, self.said_at = text, time.monotonic()

    def still(self, text: str) -> None:
        """How it stands; said now and then."""
        now = time.monotonic()
        if now - self.said_at < (QUICK if self.terminal else EVERY):
            return
        self.said_at = now
        line = f"  {self.heading}: {text}"
        if self.terminal:
            print(f"\r\033[K{line[:150]}", end="", flush=True)
            self.open = True
        else:
            print(line, flush=True)
