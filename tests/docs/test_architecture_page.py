"""The map of the engine: the same in the package's docstring, in docs/architecture.md, and on the disk."""

import re

import queues
from tests.processes import ROOT

LINE = re.compile(r"^([a-z_]+) {2,}(\S.*)$", re.MULTILINE)
NOT_ON_THE_MAP = {"__init__", "__pycache__", "migrations"}


def test_every_file_and_folder_of_the_engine_is_on_its_map():
    found = {path.stem for path in (ROOT / "queues").iterdir()} - NOT_ON_THE_MAP

    assert {name for name, _ in LINE.findall(queues.__doc__ or "")} == found


def test_the_page_draws_the_same_map_with_the_same_words():
    page = (ROOT / "docs" / "architecture.md").read_text()
    _, _, engine = page.partition("## The engine")
    drawn = LINE.findall(engine.partition("```\n")[2].partition("```")[0])

    assert sorted(drawn) == sorted(LINE.findall(queues.__doc__ or ""))
