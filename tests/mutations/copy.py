"""A copy of the project whose guards may be taken away, and pytest in it, on the servers of this test process."""

import contextlib
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bharatmart.devservers.place import Place
from bharatmart.environment import BASE_DIR
from tests.mutations.mutation import Mutation
from tests.processes import database_url

LONGEST_RUN, LONGEST_WHOLE_RUN = 120, 280
NOT_HANDED_ON = ("PYTEST_", "BHARATMART_TEST_SLOT")
OPTIONS = ("-q", "--reuse-db", "-p", "pytest_django.plugin", "-p", "pytest_timeout", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Outcome:
    """What became of a run: pytest's exit code, and by test its failure, "" for one that passed."""

    code: int
    failures: dict[str, str]
    output: str


class Copy:
    """The project's files, without what runs leave behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(BASE_DIR, folder, ignore=_left_behind)

    @contextlib.contextmanager
    def without(self, mutation: Mutation) -> Iterator[None]:
        """The copy with one guard taken away; AssertionError if its text does not stand there exactly once."""
        path = self.folder / mutation.file
        text = path.read_text()
        path.write_text(mutation.taken_from(text))
        when = zlib.crc32(mutation.name.encode())  # compiled files go by time and size: a time for each mutation
        os.utime(path, (when, when))
        try:
            yield
        finally:
            path.write_text(text)

    def run(self, *tests: str, within: float = LONGEST_RUN) -> Outcome:
        """Run these tests in the copy, in a process of its own."""
        report = self.folder / "report.xml"
        command = [sys.executable, "-m", "pytest", *OPTIONS, f"--junitxml={report}", *tests]
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        cases = ET.parse(report).iter("testcase") if report.exists() else []
        return Outcome(ended.returncode, {case.get("name", ""): _failure(case) for case in cases}, ended.stdout)

    def remove(self) -> None:
        """Delete it; its servers' keeper ends with it."""
        root = Place.of(self.folder).root
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)


def _left_behind(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in ("__pycache__", "var") or name.startswith(".")} - {".env.example"}


def _environment() -> dict[str, str]:
    """Ours, with the database of this test process, which the run uses and leaves as it is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_HANDED_ON)}
    place, _, name = database_url().rpartition("/")
    return kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "DATABASE_URL": f"{place}/{name.removeprefix('test_')}"}


def _failure(case: ET.Element) -> str:
    """How the test itself failed; an error before or after it is told as one."""
    failure, error = case.find("failure"), case.find("error")
    if error is not None:
        return f"error outside the test: {error.get('message')}"
    return "" if failure is None else f"{failure.get('message')}\n{failure.text}"
