"""Rules of the house that no other tool checks."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bharatmart.environment import BASE_DIR

TOP_LEVEL = {
    "manage.py", "pyproject.toml", "bharatmart", "orders", "payments", "notifications", "queues", "templates",
    "tests", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "requirements", "docs", "deploy",
    "benchmarks",
}  # fmt: skip
NOT_OURS = {".git", ".venv", "__pycache__", "var", ".env", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
# Hosts that packages are fetched from; spelled so that this file does not name them.
INDEX_HOSTS = re.compile(r"|".join(["pypi" + r"\.org", "pythonhosted" + r"\.org", "--(extra-)?index" + "-url"]))
LONGEST_FILE = 250


def our_files() -> Iterator[Path]:
    for folder, folders, files in os.walk(BASE_DIR):
        folders[:] = sorted(set(folders) - NOT_OURS)
        yield from (Path(folder, name) for name in files if name not in NOT_OURS)


def test_the_top_level_holds_only_the_fixed_names() -> None:
    found = {path.name for path in BASE_DIR.iterdir() if not path.name.startswith(".")} - NOT_OURS

    assert found - TOP_LEVEL == set()


def test_no_file_names_a_package_index() -> None:
    texts = ((path, path.read_bytes().decode(errors="replace")) for path in our_files())

    assert [str(path) for path, text in texts if INDEX_HOSTS.search(text)] == []


@pytest.mark.parametrize("name", ["base", "dev"])
def test_requirements_are_pinned_with_hashes_and_without_addresses(name: str) -> None:
    text = (BASE_DIR / "requirements" / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=\S)", text.strip())

    assert "://" not in text
    pinned = re.compile(r"[a-z0-9-]+==\S+.*--hash=sha256:[0-9a-f]{64}", re.DOTALL)
    assert [entry for entry in entries if not pinned.match(entry)] == []


def test_what_production_installs_is_what_was_tested() -> None:
    base, dev = (set((BASE_DIR / "requirements" / f"{name}.txt").read_text().split("\n")) for name in ("base", "dev"))

    assert {line for line in base if "==" in line} <= {line for line in dev if "==" in line}


def test_every_direct_dependency_is_bounded() -> None:
    text = (BASE_DIR / "pyproject.toml").read_text()
    blocks = re.findall(r"^(?:dependencies|dev) = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2

    entries = [line.strip().strip('",') for block in blocks for line in block.strip().splitlines()]
    assert [entry for entry in entries if not re.fullmatch(r"[a-z0-9-]+(\[\w+\])?>=[\d.]+,<[\d.]+", entry)] == []


def test_no_file_is_longer_than_a_room_may_be() -> None:
    ours = [path for path in our_files() if path.suffix == ".py" and "migrations" not in path.parts]

    assert [str(path) for path in ours if len(path.read_text().splitlines()) > LONGEST_FILE] == []
