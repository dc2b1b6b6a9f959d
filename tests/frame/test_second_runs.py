"""What CI runs a second time, and what it says of it: `.ci/second_run.py` on tiny suites."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from bharatmart.environment import BASE_DIR

OLD_FAILURES = ".pytest_cache/v/cache/lastfailed"
HELPERS = """
import os, random, sys
from pathlib import Path
import pytest

def fail_once(name="once"):
    if not Path(name).exists():
        Path(name).touch()
        raise AssertionError("expected 3, got 2")
"""
ONCE = "def test_once(): fail_once()\n"
IN_TWO_PROCESSES = ("-p", "xdist.plugin", "-n", "2")


class Ended(NamedTuple):
    code: int
    output: str
    unstable: str

    @property
    def second_runs(self) -> list[str]:
        return re.findall(r"^second run, by itself: (.*)$", self.output, re.MULTILINE)

    @property
    def totals(self) -> str:
        return self.output.splitlines()[-1].rpartition(" in ")[0]


RunSuite = Callable[..., Ended]


@pytest.fixture
def run_suite(tmp_path: Path) -> RunSuite:
    """Run a suite of this code and these further files by the program, with these arguments of pytest."""

    def run(code: str, *arguments: str, files: dict[str, str] | None = None) -> Ended:
        for name, text in {"pytest.ini": "[pytest]\n", "test_it.py": HELPERS + code, **(files or {})}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return run_program(tmp_path, *arguments)

    return run


def run_program(folder: Path, *arguments: str) -> Ended:
    unstable = folder / "unstable file"
    unstable.touch()
    ended = subprocess.run(
        [sys.executable, BASE_DIR / ".ci" / "second_run.py", unstable, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(BASE_DIR), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, unstable.read_text())


def test_what_passes_in_its_second_run_is_told_and_fails_nothing(run_suite: RunSuite) -> None:
    others = "def test_passes(): pass\ndef test_skips(): pytest.skip()\n"

    ended = run_suite(ONCE + others, files={OLD_FAILURES: '{"test_it.py::test_passes": true}'})

    assert ended.code == 0, ended.output
    assert ended.second_runs == ["test_it.py::test_once"]
    assert ended.unstable == "  test_it.py::test_once\n      AssertionError: expected 3, got 2\n"
    assert ended.totals == "1 passed, 1 unstable, 1 skipped"


def test_what_fails_twice_fails_the_run_and_both_failures_are_printed(run_suite: RunSuite) -> None:
    always = "def test_always():\n    fail_once('always')\n    raise RuntimeError('failed again')\n"

    ended = run_suite(always + ONCE + "def test_passes(): pass\n")

    assert ended.code == 1
    assert re.findall(r"^E +(\w+: .*)", ended.output, re.MULTILINE) == [
        "AssertionError: expected 3, got 2",
        "AssertionError: expected 3, got 2",  # of the other test
        "RuntimeError: failed again",
    ]
    assert "failed twice:\n  test_it.py::test_always\n      AssertionError: expected 3, got 2\n" in ended.output
    assert "test_once" in ended.unstable
    assert "test_always" not in ended.unstable
    assert ended.totals == "1 failed, 1 passed, 1 unstable"


def test_when_all_pass_nothing_is_added(run_suite: RunSuite) -> None:
    ended = run_suite("def test_passes(): pass\n")

    assert (ended.code, ended.second_runs, ended.unstable) == (0, [], "")
    assert re.fullmatch(r"=+ 1 passed", ended.totals)


def test_a_fixture_that_fails_once_is_a_failing_test(run_suite: RunSuite) -> None:
    ended = run_suite("""
@pytest.fixture
def before(): fail_once("before")

@pytest.fixture
def after():
    yield
    fail_once("after")

def test_setup(before): pass
def test_teardown(after): pass
""")

    assert ended.code == 0, ended.output
    assert ended.second_runs == ["test_it.py::test_setup", "test_it.py::test_teardown"]
    assert ended.totals == "0 passed, 2 unstable"


def test_the_second_run_is_alone_in_a_process_of_its_own(run_suite: RunSuite) -> None:
    code = "def test_alone(): assert 'PYTEST_XDIST_WORKER' not in os.environ\ndef test_passes(): pass\n"

    ended = run_suite(code, *IN_TWO_PROCESSES)

    assert ended.code == 0, ended.output
    assert ended.second_runs == ["test_it.py::test_alone"]
    assert ended.totals == "1 passed, 1 unstable"


def test_the_second_run_has_the_seed_of_the_first(run_suite: RunSuite) -> None:
    randomly = "[pytest]\naddopts = -p pytest_randomly\n"

    ended = run_suite(
        "def test_random():\n    fail_once(f'drawn-{random.random()}')\n",
        files={"pytest.ini": randomly},
    )

    assert ended.code == 0, ended.output
    assert ended.totals == "0 passed, 1 unstable"


def test_ten_tests_of_odd_names_are_found_again(run_suite: RunSuite) -> None:
    names = ["a b", "x::y", "[z]", "]", "₹1", "t.py::test_it[1]", "-k '$(no)\"", "", "two\nlines", "@file"]

    ended = run_suite(f"""
class TestÄrger:
    @pytest.mark.parametrize("name", {names})
    def test_größe(self, name): fail_once(f"odd-{{name.encode().hex()}}")
""")

    assert ended.code == 0, ended.output
    assert len(ended.second_runs) == 10
    assert ended.totals == "0 passed, 10 unstable"


def test_when_more_than_ten_fail_none_is_run_again(run_suite: RunSuite) -> None:
    ended = run_suite("""
@pytest.mark.parametrize("number", range(11))
def test_many(number): fail_once(f"many-{number}")
""")

    assert (ended.code, ended.second_runs, ended.unstable) == (1, [], ""), ended.output
    assert "no second run: 11 tests failed, and more than 10 are no accident" in ended.output


BROKEN = {"test_broken.py": "import no_such_module\n"}
DIES_AT_THE_END = {
    "conftest.py": """
import os, pytest
@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if getattr(session.config, "workerinput", {}).get("workerid") == "gw0": os._exit(0)
"""
}
RAISES_AT_THE_END = {"conftest.py": "def pytest_unconfigure(): raise RuntimeError\n"}
RAISES_INSIDE_PYTEST = {"conftest.py": "def pytest_runtest_logfinish(): raise RuntimeError\n"}


@pytest.mark.parametrize(
    ("more", "arguments", "files", "code"),
    [
        pytest.param("", [], BROKEN, 2, id="not collected"),
        pytest.param("", ["--continue-on-collection-errors"], BROKEN, 1, id="not collected, but the rest ran"),
        pytest.param("", IN_TWO_PROCESSES, BROKEN, 1, id="not collected in many processes"),
        pytest.param("def test_ends(): os._exit(1)", [], {}, 1, id="ended, with 1"),
        pytest.param("def test_ends(): os.kill(os.getpid(), 9)", [], {}, 137, id="killed"),
        pytest.param("def test_ends(): os._exit(0)", IN_TWO_PROCESSES, {}, 1, id="one of many processes ended"),
        pytest.param("", IN_TWO_PROCESSES, DIES_AT_THE_END, 1, id="one of many processes ended after its tests"),
        pytest.param("def test_ends(): raise KeyboardInterrupt", [], {}, 2, id="interrupted"),
        pytest.param("", ["-x"], {}, 1, id="stopped early"),
        pytest.param("", ["-k", "nothing"], {}, 5, id="no tests ran"),
        pytest.param("", ["--no-such-option"], {}, 4, id="not understood"),
        pytest.param("", [], RAISES_INSIDE_PYTEST, 3, id="pytest broken"),
        pytest.param("", [], RAISES_AT_THE_END, 1, id="raised after the session"),
    ],
)
def test_what_is_more_than_failing_tests_is_not_run_again(
    run_suite: RunSuite, more: str, arguments: list[str], files: dict[str, str], code: int
) -> None:
    ended = run_suite(ONCE + "def test_passes(): pass\n" + more, *arguments, files=files)

    assert (ended.code, ended.second_runs, ended.unstable) == (code, [], ""), ended.output
    assert "no second run: more went wrong than tests" in ended.output


def test_a_process_that_ends_after_its_tests_fails_the_run_though_all_have_passed(run_suite: RunSuite) -> None:
    ended = run_suite("def test_passes(): pass\ndef test_too(): pass\n", *IN_TWO_PROCESSES, files=DIES_AT_THE_END)

    assert (ended.code, ended.second_runs) == (1, []), ended.output
    assert "no second run: more went wrong than tests" in ended.output


def test_a_second_run_that_does_not_pass_its_test_is_a_second_failure(run_suite: RunSuite) -> None:
    ended = run_suite("""
def test_skips():
    fail_once("skips")
    pytest.skip()

def test_ends():
    fail_once("ends")
    os._exit(0)
""")

    assert (ended.code, ended.unstable) == (1, ""), ended.output
    assert len(ended.second_runs) == 2
    assert ended.totals == "2 failed, 0 passed"


def test_an_interrupt_in_a_second_run_ends_all(run_suite: RunSuite) -> None:
    ended = run_suite("""
def test_first():
    fail_once("first")
    raise KeyboardInterrupt

def test_second(): fail_once("second")
""")

    assert (ended.code, ended.second_runs, ended.unstable) == (2, ["test_it.py::test_first"], ""), ended.output
