"""The table of docs/payments.md: every test in it exists, every line has one whose guard is taken away, as it says."""

import re
from collections.abc import Iterator

from tests.mutations.guards import MUTATIONS
from tests.processes import ROOT

from .test_promises_page import names_in

TABLE = (ROOT / "docs" / "payments.md").read_text().partition("## What goes wrong elsewhere")[2]
LINES = [line for line in TABLE.splitlines() if line.startswith("|") and "`" in line]
BITTEN = {mutation.test.partition("[")[0] for mutation in MUTATIONS}


def named_in(line: str) -> Iterator[tuple[str, str, bool]]:
    """File and name of each test of a line, and whether its guard is said to be taken away."""
    file = ""
    for told, name, star in re.findall(r"`([\w/]*(?:\.py)?)(?:::(\w+))?`(\*?)", line):
        file = (told if "/" in told else f"tests/payments/{told}") if told else file
        yield file, name, bool(star)


def test_every_test_of_the_table_exists():
    named = [(file, name) for line in LINES for file, name, _ in named_in(line)]

    assert len(named) > 40
    assert [f"{file}::{name}" for file, name in named if name not in names_in(file)] == []


def test_every_line_has_a_test_that_fails_when_its_guard_is_removed():
    assert len(LINES) == 19
    assert [line for line in LINES if not any(star for *_, star in named_in(line))] == []


def test_stars_say_what_is_done():
    named = [(f"{file}::{name}", star) for line in LINES for file, name, star in named_in(line)]

    assert [name for name, star in named if star != (name in BITTEN)] == []
