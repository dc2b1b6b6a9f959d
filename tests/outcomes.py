"""pytest plugin that .ci/second_run.py loads: writes down, as JSON, what became of the tests.

When tests failed and nothing else went wrong, pytest ends with ONLY_TESTS_FAILED. Its exit code stays 1 when something
was not collected, a test process died or the run was cut short; and what is raised after the session makes it 1 again.
"""

import json
from pathlib import Path

import pytest

ONLY_TESTS_FAILED = 100
PHASES = {"setup", "call", "teardown"}  # the report of a test whose process died has none of them
MOST_LINES, LONGEST_LINE = 3, 200


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", type=Path, metavar="FILE", help="where to write what became of the tests")


def pytest_configure(config: pytest.Config) -> None:
    hands_out_or_runs_all = not hasattr(config, "workerinput")
    if (file := config.getoption("outcomes")) and hands_out_or_runs_all:
        config.pluginmanager.register(Outcomes(file))


class Outcomes:
    """What each test came to, over its setup, call and teardown."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.passed: set[str] = set()
        self.skipped: set[str] = set()
        self.failures: dict[str, list[str]] = {}
        self.failed_reports = 0
        self.died = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and report.when in PHASES:
            self.failed_reports += 1
            self.failures.setdefault(report.nodeid, message_of(report))
        elif report.skipped:
            self.skipped.add(report.nodeid)
        elif report.passed and report.when == "call":
            self.passed.add(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, error: object) -> None:
        self.died = self.died or bool(error)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        self._write(getattr(session.config.option, "randomly_seed", None))
        if exitstatus == pytest.ExitCode.OK and self.died:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED  # xdist does not mind, if all tests have passed by then
        if exitstatus == pytest.ExitCode.TESTS_FAILED and self._explain(session):
            session.exitstatus = ONLY_TESTS_FAILED

    def _explain(self, session: pytest.Session) -> bool:
        """Whether the failed tests are all that went wrong; what failed to be collected is in `testsfailed` too."""
        cut_short = session.shouldstop or session.shouldfail
        return not cut_short and not self.died and session.testsfailed == self.failed_reports

    def _write(self, seed: int | None) -> None:
        passed, skipped = self.passed - self.failures.keys(), self.skipped - self.passed - self.failures.keys()
        outcomes = {"passed": sorted(passed), "skipped": sorted(skipped), "failures": self.failures, "seed": seed}
        self.file.write_text(json.dumps(outcomes))


def message_of(report: pytest.TestReport) -> list[str]:
    """The first lines of what the failure says."""
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = (crash.message if crash else report.longreprtext).splitlines()
    return [line.rstrip()[:LONGEST_LINE] for line in lines if line.strip()][:MOST_LINES]
