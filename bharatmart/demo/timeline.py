"""The live picture of the orders and their jobs: drawn in place on a terminal, else one line for each change."""

import os
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from .story import Job, Story


class Timeline:
    """`show()` it again and again."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self.out = out
        self.began = time.monotonic()
        self.drawn = 0
        self.told: dict[tuple[int, str], str] = {}

    def show(self, stories: Sequence[Story], news: Sequence[str] = ()) -> None:
        """Show the present state; `news` are lines to keep above it."""
        picture = picture_of(stories)
        if self._fits(picture):
            self._draw(picture, news)
        else:
            self._tell_changes(stories, news)
        self.out.flush()

    def _fits(self, picture: Sequence[str]) -> bool:
        terminal = self.out.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        return terminal and len(picture) < shutil.get_terminal_size().lines

    def _draw(self, picture: Sequence[str], news: Sequence[str]) -> None:
        width = shutil.get_terminal_size().columns - 1
        back = f"\x1b[{self.drawn}F" if self.drawn else ""
        lines = [*(self._stamped(line) for line in news), *picture]
        self.out.write(back + "".join(f"{line[:width]}\x1b[K\n" for line in lines) + "\x1b[J")
        self.drawn = len(picture)

    def _tell_changes(self, stories: Sequence[Story], news: Sequence[str]) -> None:
        self.drawn = 0
        lines = list(news)
        for story in stories:
            heading = f"order {story.order_id} ({story.plan.title})"
            for key, line in facts_of(story):
                if self.told.get(key) != line:
                    self.told[key] = line
                    lines.append(f"{heading:<28} {line}")
        self.out.writelines(f"{self._stamped(line)}\n" for line in lines)

    def _stamped(self, line: str) -> str:
        return f"  +{time.monotonic() - self.began:4.1f} s  {line}"


def picture_of(stories: Sequence[Story]) -> list[str]:
    """All orders with all their jobs, line by line."""
    lines = []
    for story in stories:
        order = f"order {story.order_id} ({story.plan.title}), {story.order['total']}"
        lines += ["", f"  {order:<60}{' > '.join(story.states)}"]
        lines += [f"    - {deed}" for deed in story.deeds]
        lines += [f"    {describe(job)}" for job in story.jobs]
    return lines


def facts_of(story: Story) -> list[tuple[tuple[int, str], str]]:
    """What can change about an order, each fact under a key of its own."""
    order = ((story.order_id, "state"), f"is {story.state}")
    jobs = [((story.order_id, f"{n} {job.name}"), describe(job)) for n, job in enumerate(story.jobs)]
    deeds = [((story.order_id, f"deed {n}"), f"- {deed}") for n, deed in enumerate(story.deeds)]
    return [order, *deeds, *jobs]


def describe(job: Job) -> str:
    """A job in one line."""
    attempt = f"attempt {job.attempt}" if job.attempt else ""
    return f"{job.name:<36} {_state_of(job):<36} {attempt}".rstrip()


def _state_of(job: Job) -> str:
    if job.held_until:
        return f"held by rq-scheduler until {_clock(job.held_until)}"
    if job.state == "waiting" and job.run_at > datetime.now(job.run_at.tzinfo):
        return f"waiting until {_clock(job.run_at)}"
    if job.finished_at:
        return f"{job.state} at {_clock(job.finished_at)}"
    return job.state


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%H:%M:%S}"
