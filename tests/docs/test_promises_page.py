"""docs/promises.md names tests that exist: a renamed test must not leave a promise without its proof."""

import ast
import re

from tests.processes import ROOT

PAGE = (ROOT / "docs" / "promises.md").read_text()


def test_every_test_that_the_page_names_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)

    missing = [f"{file}::{test}" for file, test in named if test not in names_in(file)]

    assert len(named) > 30
    assert missing == []


def test_every_promise_has_a_proof():
    _, *promises = re.split(r"^## \d\. ", PAGE.split("## Not promised")[0], flags=re.MULTILINE)

    assert len(promises) == 8
    assert all("`tests/" in promise for promise in promises)


def names_in(file: str) -> set[str]:
    """The names of a file's tests, and the empty name for the file itself."""
    tree = ast.parse((ROOT / file).read_text())
    return {"", *(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))}
