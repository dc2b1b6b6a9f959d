"""A job's own log lines, kept with its attempt."""

import logging
import re
from typing import Any

import pytest
import structlog

from queues import JobDefinition, Permanent
from queues.execution.log_handler import JobLogHandler
from queues.lifecycle.log import CHARACTERS, LINES, JobLog
from queues.models import Attempt, Job
from queues.testing import drain, make_due, run_next
from tests.jobapp.jobs import fail
from tests.jobapp.reporting import report_in_child, report_in_thread
from tests.processes import Processes
from tests.queues.facts import open_gate, wait_for_state
from tests.queues.ops.test_admin import JOBS, staff

pytestmark = pytest.mark.usefixtures("ledger_db", "informed")

PLAIN = logging.getLogger("shop.plain")
STRUCTURED = structlog.stdlib.get_logger("shop.structured")
TIME = re.compile(r"^\d\d:\d\d:\d\d ", re.M)


@pytest.fixture
def informed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="shop")


@pytest.fixture
def alone() -> logging.Logger:
    """A logger whose lines reach nobody else, such as the console, which could not print them."""
    logger = logging.Logger("shop.alone")
    logger.addHandler(JobLogHandler())
    return logger


def kept() -> str:
    """What is kept of the only attempt, without the times."""
    return TIME.sub("", Attempt.objects.get().log)


@pytest.mark.parametrize("definition", [report_in_thread, report_in_child])
def test_lines_of_a_job_in_a_worker_are_kept(processes: Processes, definition: JobDefinition):
    processes.manage("rqworker", "order")
    open_gate("g-20")
    open_gate("g-60")

    job = wait_for_state(definition.enqueue(percents=[20, 60]).id, "completed")

    attempt = job.attempts.get()
    assert kept() == "INFO shop.reporting: at 20\nINFO shop.reporting: at 60"
    assert all(TIME.match(line) for line in attempt.log.splitlines())


def test_time_is_the_shops(define):
    record = logging.makeLogRecord({"name": "shop", "msg": "here", "created": 1_795_300_000.0, "levelno": 20})
    define(lambda: logging.getLogger().handle(record)).enqueue()

    drain()

    assert Attempt.objects.get().log.startswith("03:56:40 ")


def test_values_are_kept_in_words_and_secrets_are_not(define):
    def work() -> None:
        STRUCTURED.warning("charged", order_id=7, api_key="k-123", reply={"token": "t-456", "code": 200})
        PLAIN.info("plain %s", "words", extra={"password": "p-789"})

    define(work).enqueue()

    drain()

    assert kept() == (
        "WARNING shop.structured: charged order_id=7 api_key=*** reply={'token': '***', 'code': 200}\n"
        "INFO shop.plain: plain words"
    )


def test_tracebacks_and_their_values_are_not_kept(define):
    def work() -> None:
        card = "4111-1111"
        try:
            raise ValueError(card)
        except ValueError:
            PLAIN.exception("plain")
            STRUCTURED.exception("structured")
            PLAIN.info("with a stack", stack_info=True)

    define(work).enqueue()

    drain()

    assert kept() == "ERROR shop.plain: plain\nERROR shop.structured: structured\nINFO shop.plain: with a stack"


def test_tracebacks_are_left_out_also_by_a_formatter_that_would_show_them(define, alone: logging.Logger):
    def work() -> None:
        try:
            raise ValueError("4111-1111")
        except ValueError:
            alone.exception("plain", stack_info=True)

    define(work).enqueue()

    drain()

    assert kept() == "ERROR shop.alone: plain"


def test_lines_below_info_and_of_the_engine_are_not_kept(define):
    def work() -> None:
        PLAIN.debug("too fine")
        logging.getLogger("queues.ledger.outbox").error("the engine's own")
        logging.getLogger("queuestion").error("another's")

    define(work).enqueue()

    drain()

    assert kept() == "ERROR queuestion: another's"


def test_nothing_logged_is_an_empty_text(define):
    PLAIN.info("before any job")
    define(lambda: None).enqueue()

    drain()

    assert kept() == ""


def test_each_attempt_keeps_its_own_lines_also_when_it_fails(define):
    numbers = iter((1, 2))

    def work() -> None:
        PLAIN.info("run %d", next(numbers))
        raise ValueError("no luck")

    define(work).enqueue()

    run_next(raises=False)
    make_due()
    run_next(raises=False)

    logs = [TIME.sub("", log) for log in Attempt.objects.values_list("log", flat=True)]
    assert logs == ["INFO shop.plain: run 1", "INFO shop.plain: run 2"]


def test_last_lines_are_kept_when_there_are_too_many(define):
    def work() -> None:
        for number in range(LINES + 5):
            PLAIN.info("line %d\nand more", number)

    define(work).enqueue()

    drain()

    lines = kept().splitlines()
    assert len(lines) == LINES == 200
    assert (lines[0], lines[-1]) == ("INFO shop.plain: line 105", "and more")


def test_last_characters_are_kept_in_whole_lines():
    log = JobLog()

    for letter in "abc":
        log.add(letter * 9_000)
    assert log.text() == "b" * 9_000 + "\n" + "c" * 9_000

    log.add("d" * (CHARACTERS + 1))
    assert log.text() == "d" * CHARACTERS == "d" * 20_000


def test_what_postgresql_refuses_is_written_otherwise(define, alone: logging.Logger):
    define(lambda: alone.info("a\x00b\ud800")).enqueue()

    drain()

    assert kept() == "INFO shop.alone: a\\x00b\\ud800"


def test_line_that_cannot_be_formatted_fails_no_job(define, alone: logging.Logger, capsys):
    class Unspeakable:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def work() -> None:
        alone.info("%s", Unspeakable())
        alone.info("after it")

    job_id = define(work).enqueue().id

    drain()

    assert Job.objects.get(pk=job_id).state == "completed"
    assert kept() == "INFO shop.alone: after it"
    assert "no words" in capsys.readouterr().err


def test_admin_shows_the_lines_of_an_attempt(db, define):
    define(lambda: PLAIN.info("<rendered>")).enqueue()
    drain()
    attempt: Any = Attempt.objects.get()

    page = staff("view_job").get(f"{JOBS}{attempt.job_id}/change/").content.decode()

    assert "<summary>1 line</summary>" in page
    assert "INFO shop.plain: &lt;rendered&gt;" in page


def test_attempt_without_lines_shows_none(db):
    job_id = fail.enqueue(label="a", how="permanent").id
    with pytest.raises(AssertionError, match=Permanent.__name__):
        drain()

    page = staff("view_job").get(f"{JOBS}{job_id}/change/").content.decode()

    assert "line</summary>" not in page
    assert "lines</summary>" not in page
