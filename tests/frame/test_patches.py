"""What the tests replace is really there: no patch, log filter or assignment stays behind when a name goes."""

import re
from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from tests.patches import WatchedPatch
from tests.processes import ROOT

LOGGER = re.compile(r"""(?:logger=|getLogger\()["'](queues\.[a-z_.]+)["']""")
WITHOUT_A_MODULE = {"queues.job"}
"""The logger of the line that each job gets; operators filter by this name."""
ASSIGNED = re.compile(r"^ +(?!settings\b)[a-z_]+\.[A-Z_]+ = .*$", re.MULTILINE)


@pytest.fixture
def owner() -> SimpleNamespace:
    return SimpleNamespace(read=lambda: "real", number=1)


def test_replaced_function_that_nobody_calls_is_noticed(owner: SimpleNamespace):
    patch = WatchedPatch()
    patch.setattr(owner, "read", lambda: "replaced")
    assert patch.unreached == {"SimpleNamespace.read"}

    assert owner.read() == "replaced"
    assert patch.unreached == set()

    patch.undo()
    assert owner.read() == "real"


def test_guards_and_plain_values_need_not_be_reached(owner: SimpleNamespace):
    patch = WatchedPatch()
    patch.guard(owner, "read", lambda: "never")
    patch.setattr(owner, "number", 2)

    assert (owner.read(), owner.number, patch.unreached) == ("never", 2, set())


def test_name_that_is_gone_cannot_be_replaced(owner: SimpleNamespace):
    with pytest.raises(AttributeError):
        WatchedPatch().setattr(owner, "gone", lambda: None)


def test_every_logger_that_tests_listen_to_exists():
    texts = {path: path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    named = {(path.name, name) for path, text in texts.items() for name in LOGGER.findall(text)}

    assert len(named) >= 3
    assert [each for each in named if each[1] not in WITHOUT_A_MODULE and find_spec(each[1]) is None] == []


def test_constants_of_modules_are_replaced_by_patches_alone():
    """An assignment to a name that is gone makes a new one, and nobody notices."""
    texts = {path: path.read_text() for path in (ROOT / "tests").rglob("*.py")}
    found = [f"{path.name}: {line.strip()}" for path, text in texts.items() for line in ASSIGNED.findall(text)]

    assert found == []
