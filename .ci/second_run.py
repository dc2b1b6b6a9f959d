"""Run pytest, then each test that failed once more by itself: `second_run.py UNSTABLE PYTEST-ARGUMENT ...`.

What passes then is unstable: it is told, added to the file UNSTABLE, and does not fail the run. Only tests get a second
run: not what was not collected, not a process that died, not a run that was cut short, not pytest itself.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

MOST = 10  # more failures than these are no accident
INTERRUPTED = (2, 130)  # by pytest, or before it runs
ONLY_TESTS_FAILED = 100  # as in tests/outcomes.py
Failures = dict[str, list[str]]


class Run(NamedTuple):
    """How a pytest ended: its exit code, and the tests by what became of them, failed ones with their message."""

    code: int
    passed: list[str] = []
    skipped: list[str] = []
    failures: Failures = {}
    seed: int | None = None


def main(unstable_file: Path, arguments: list[str]) -> int:
    signal.signal(signal.SIGINT, lambda *_: None)  # pytest hears it, too, and ends in good order
    start = time.monotonic()
    first = run(arguments)
    seconds = time.monotonic() - start
    if first.code == 0:
        return 0
    if reason := why_none(first):
        say(f"\nno second run: {reason}")
        return first.code if first.code != ONLY_TESTS_FAILED else 1
    return second_runs(first, seconds, unstable_file)


def run(arguments: list[str]) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "outcomes.json")
        command = [sys.executable, "-m", "pytest", "-p", "tests.outcomes", f"--outcomes={file}", *arguments]
        ended = subprocess.call(command)
        code = 128 - ended if ended < 0 else ended  # as a shell tells of a signal
        if not file.exists():  # it did not come to its end, whatever its exit code says
            return Run(code or 1)
        return Run(code, **json.loads(file.read_text()))


def why_none(first: Run) -> str | None:
    if first.code != ONLY_TESTS_FAILED:
        return f"more went wrong than tests (pytest's exit code is {first.code})"
    if len(first.failures) > MOST:
        return f"{len(first.failures)} tests failed, and more than {MOST} are no accident"
    return None


def second_runs(first: Run, seconds: float, unstable_file: Path) -> int:
    unstable: Failures = {}
    for test, message in first.failures.items():
        say(f"\nsecond run, by itself: {test}")
        again = run([*same_seed(first), test])
        if again.code in INTERRUPTED:
            return again.code
        if again.code == 0 and again.passed == [test]:
            unstable[test] = message
            note(unstable_file, test, message)
    return tell(first, unstable, seconds)


def same_seed(first: Run) -> list[str]:
    """What fails with one seed alone is to fail again."""
    return [] if first.seed is None else [f"--randomly-seed={first.seed}"]


def note(unstable_file: Path, test: str, message: list[str]) -> None:
    with unstable_file.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(entry(test, message))


def tell(first: Run, unstable: Failures, seconds: float) -> int:
    """Say what came of it; the last line is the first run's totals."""
    twice = {test: message for test, message in first.failures.items() if test not in unstable}
    for title, tests in {"unstable (passed in a second run)": unstable, "failed twice": twice}.items():
        if tests:
            say(f"\n{title}:\n" + "".join(entry(test, message) for test, message in tests.items()), end="")
    say(f"\n{totals(first, len(twice), len(unstable))} in {seconds:.2f}s")
    return 1 if twice else 0


def totals(first: Run, failed: int, unstable: int) -> str:
    counts = {"failed": failed, "passed": len(first.passed), "unstable": unstable, "skipped": len(first.skipped)}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count or word == "passed")


def entry(test: str, message: list[str]) -> str:
    return "".join([f"  {test}\n", *(f"      {line}\n" for line in message)])


def say(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
