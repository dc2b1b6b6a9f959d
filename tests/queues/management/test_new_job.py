"""`manage.py queues new-job`: what it writes is right at once, and what it refuses leaves nothing behind."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from bharatmart.devservers.place import Place
from orders.events import order_paid
from queues.definitions import registry
from queues.management.all_or_nothing import write_files
from queues.management.commands.queues import Command
from queues.management.new_job import Refused, grown
from tests.frame.test_house_rules import NOT_OURS
from tests.patches import WatchedPatch
from tests.processes import ROOT
from tests.queues.management.test_queues_command import queues

BIN = Path(sys.executable).parent
WRITTEN = {
    "orders remind_customer --queue email --event order_paid": "tests/orders/test_remind_customer.py",
    "accounts say_goodbye --event order_cancelled --queue email": "tests/accounts/test_say_goodbye.py",
    "webhooks count_bounces": "tests/webhooks/test_count_bounces.py",
    "api " + 50 * "x" + " --queue reports --event refund_requested": f"tests/api/test_{50 * 'x'}.py",
}
"""A service of its own in a package; a further one in services.py; the queue of all jobs; the longest name, in an app
without services or tests."""


class Copy:
    """A copy of the project in which code may be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_OURS - {".mypy_cache"}))

    def run(self, *words: str | Path, code: int | None = 0) -> str:
        """The output of a command, which must end with this code."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "BHARATMART_TEST"))}
        name = str(connection.settings_dict["NAME"]).removeprefix("test_")
        env["DATABASE_URL"] = urlsplit(env["DATABASE_URL"])._replace(path=f"/{name}_copy").geturl()
        del env["DJANGO_SETTINGS_MODULE"]  # manage.py and pytest choose their own
        done = subprocess.run(words, cwd=self.folder, env=env, capture_output=True, text=True, check=False, timeout=300)
        output = done.stdout + done.stderr
        assert code in (None, done.returncode), output
        return output

    def new_job(self, words: str, code: int = 0) -> str:
        return self.run(BIN / "python", "manage.py", "queues", "new-job", *words.split(), code=code)

    def texts(self) -> dict[Path, bytes]:
        paths = (path for path in self.folder.rglob("*") if not NOT_OURS & set(path.relative_to(self.folder).parts))
        return {path.relative_to(self.folder): path.read_bytes() if path.is_file() else b"" for path in paths}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """The project with some new jobs."""
    copy = Copy(tmp_path_factory.mktemp("copy") / "project")
    shutil.rmtree(copy.folder / "tests" / "api")
    for words in WRITTEN:
        copy.new_job(words)
    yield copy
    shutil.rmtree(Place.of(copy.folder).root, ignore_errors=True)


@pytest.mark.thorough
def test_what_is_written_passes_every_check(copy: Copy):
    assert (copy.folder / "tests" / "api" / "__init__.py").exists()
    copy.run(BIN / "ruff", "check")
    copy.run(BIN / "ruff", "format", "--check")
    copy.run(BIN / "mypy")
    copy.run(BIN / "lint-imports")


@pytest.mark.thorough
def test_tests_that_are_written_pass_and_the_flow_page_is_fresh(copy: Copy):
    output = copy.run(BIN / "python", "-m", "pytest", "-q", *WRITTEN.values(), "tests/queues/ops/test_flow.py")

    assert "9 passed" in output
    flow = (copy.folder / "docs" / "flow.md").read_text()
    assert "- `orders.remind_customer` (queue `email`): Remind customer.\n" in flow
    assert "- `webhooks.count_bounces` (queue `webhook-out`): Count bounces.\n" in flow


@pytest.mark.thorough
def test_tests_that_are_written_can_fail(copy: Copy):
    # given jobs that are not wired as declared, and a service that does something
    breaks = {
        "bharatmart/accounts/jobs.py": ("on=order_cancelled", "on=events.user_registered"),
        "bharatmart/webhooks/jobs.py": ("    services.count_bounces()", "    pass"),
        "orders/services/remind_customer.py": ("    raise Not", "    return\n    raise Not"),
    }
    before = {name: (copy.folder / name).read_text() for name in breaks}
    for name, (right, wrong) in breaks.items():
        assert right in before[name]
        (copy.folder / name).write_text(before[name].replace(right, wrong))

    # when their tests run
    output = copy.run(BIN / "python", "-m", "pytest", "-q", *WRITTEN.values(), code=1)

    # then those fail, and their messages say why
    assert "3 failed, 5 passed" in output
    assert "accounts.say_goodbye(order_id=1) does not wait" in output
    assert "assert [] == [()]" in output
    assert "DID NOT RAISE" in output
    for name, text in before.items():
        (copy.folder / name).write_text(text)


@pytest.mark.thorough
def test_nothing_is_half_written_when_a_file_cannot_be(copy: Copy):
    # given a place where flow.md cannot be written
    flow = copy.folder / "docs" / "flow.md"
    page = flow.read_text()
    flow.unlink()
    flow.mkdir()
    before = copy.texts()

    # when
    output = copy.new_job("orders thank --queue email", code=1)

    # then
    assert "nothing was written: [Errno 21] Is a directory" in output
    assert copy.texts() == before
    flow.rmdir()
    flow.write_text(page)


@pytest.fixture
def written(monkeypatch: WatchedPatch) -> list[str]:
    """What would be written into the project itself, which stays as it is."""
    names: list[str] = []
    monkeypatch.guard(
        "queues.management.subcommands.write_files",
        lambda files: names.extend(str(path.relative_to(ROOT)) for path in files),
    )
    return names


def test_it_prints_what_was_written_and_what_is_to_do(written: list[str]):
    output = queues("new-job", "orders", "greet", "--queue", "email")

    files = ["orders/services/greet.py", "orders/jobs.py", "tests/orders/test_greet.py", "docs/flow.md"]
    assert written == files
    lines = "".join(f"  {name}\n" for name in files)
    assert output == f"orders.greet is written:\n{lines}Now write its service and say in the test what it does.\n"


def test_what_was_only_planned_is_not_registered(written: list[str]):
    reactions = list(order_paid.reactions)

    queues("new-job", "orders", "greet", "--queue", "email", "--event", "order_paid")

    assert order_paid.reactions == reactions
    assert "orders.greet" not in registry.names()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("orders", "the following arguments are required: NAME"),
        ("order thank --queue email", "argument APP: no app 'order'. Did you mean 'orders'?"),
        ("queues thank --queue email", "argument APP: no app 'queues'."),
        ("auth thank --queue email", "argument APP: no app 'auth'."),
        ("orders thank-you --queue email", "argument NAME: expected a name for a Python function"),
        ("orders class --queue email", "argument NAME: expected a name for a Python function"),
        ("orders Thank --queue email", "argument NAME: expected a name for a Python function"),
        (f"orders {51 * 'x'} --queue email", "argument NAME: expected a name for a Python function"),
        ("orders thank --queue emial", "argument --queue: no queue named 'emial' is declared. Did you mean 'email'?"),
        (
            "orders thank --event order_cancled",
            "argument --event: no event 'order_cancled'. Did you mean 'order_cancelled'?",
        ),
        ("orders thank --queue order extra", "unrecognized arguments: extra"),
        (
            "orders thank",
            "say --queue: the jobs of orders are in email, inventory-release, manual-review, order, reports.",
        ),
        ("orders process_order --queue order", "there is a job named 'orders.process_order' already"),
        ("orders mails --queue order", "is there already: choose another name."),
        ("orders money --queue order", "tests/orders/test_money.py is there already"),
        ("orders events --queue order", "orders/jobs.py would have 'events' twice: choose another name"),
        ("accounts send_welcome --queue email", "accounts/services.py would have 'send_welcome' twice"),
        ("accounts order_paid --queue order --event order_paid", "accounts/jobs.py would have 'order_paid' twice"),
    ],
)
def test_what_is_refused_ends_with_2_and_writes_nothing(
    words: str, message: str, written: list[str], capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as end:
        Command().run_from_argv(["manage.py", "queues", "new-job", *words.split()])

    assert end.value.code == 2
    assert message in capsys.readouterr().err
    assert written == []


def test_event_whose_import_would_hide_a_job_is_refused(tmp_path: Path):
    jobs = tmp_path / "jobs.py"
    jobs.write_text("def order_paid() -> None: ...\n")

    with pytest.raises(Refused, match="would have 'order_paid' twice"):
        grown(jobs, "", ["from orders.events import order_paid"], "", {}, "thank")


def test_folder_that_was_made_for_a_file_is_taken_away_again(tmp_path: Path):
    (tmp_path / "in the way").mkdir()
    (tmp_path / "there").write_text("old")

    with pytest.raises(IsADirectoryError):
        write_files({tmp_path / "new" / "a": "a", tmp_path / "there": "new", tmp_path / "in the way": "c"})

    assert {path.name for path in tmp_path.iterdir()} == {"in the way", "there"}
    assert (tmp_path / "there").read_text() == "old"
