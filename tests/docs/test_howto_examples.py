"""Every example of docs/howto is run: what a page shows works."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from queues.definitions import event, registry
from tests.docs.examples import Runner, blocks_of
from tests.processes import ROOT

pytestmark = pytest.mark.django_db

PAGES = sorted((ROOT / "docs" / "howto").glob("*.md"))


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Jobs and events that examples declare are thrown away."""
    events = [(one, list(one.reactions), list(one.withdrawals)) for one in event.all_events()]
    monkeypatch.setattr(registry, "_jobs", registry._jobs.copy())
    monkeypatch.setattr(event, "_events", event._events.copy())
    yield
    for one, reactions, withdrawals in events:
        one.reactions, one.withdrawals = reactions, withdrawals


@pytest.fixture
def runner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, registries: None) -> Runner:
    return Runner(request, monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_example_of_the_page_works(page: Path, runner: Runner):
    blocks = blocks_of(page)

    assert blocks
    for block in blocks:
        runner.run(block)


WRONG = {
    "```yaml\na: 1\n```": "nobody knows how to run a block marked 'yaml'",
    "```\nmake check\n```": "nobody knows how to run a block marked ''",
    "```python (not run)\n1\n```": "nobody knows how to run",
    "```sh\nmake check\n```": "no command of manage.py: make check",
    "```sh\npython manage.py queues paus email\n```": "queues paus email: Error: argument verb: invalid choice",
    "```sh (not run: slow)\npython manage.py rqworker --brst\n```": "rqworker --brst: Error: unrecognized arguments",
    "```python\nassert 1 == 2\n```": "assert 1 == 2",
    "```python (not run: slow)\nassert 1 ==\n```": "invalid syntax",
    "```python\n# orders/jobs.py\nfrom .nowhere import x\n```": "No module named 'orders.nowhere'",
    "```python\n# orders/tests.py\ndef test_x(db): assert 1 == 2\n```": "assert 1 == 2",
    '```python\n# bharatmart/settings.py\nQUEUES = {"a": {"atempts": 1}}\n```': "Did you mean 'attempts'",
}


@pytest.mark.parametrize(("text", "told"), WRONG.items(), ids=WRONG.values())
def test_wrong_example_is_found(text: str, told: str, tmp_path: Path, runner: Runner):
    # given a page with a right example and, indented, a wrong one
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n```python\na = 1\n```\n\n1. Item\n\n{textwrap.indent(text, '   ')}\n")
    right, wrong = blocks_of(page)
    runner.run(right)

    # when it is run, then it fails
    with pytest.raises((Exception, pytest.fail.Exception)) as failure:
        runner.run(wrong)
    assert told in str(failure.getrepr(style="short"))


@pytest.mark.parametrize("text", ["```python\na = 1\n", "```python\na = 1\n  ```\n"])
def test_block_that_does_not_end_is_found(text: str, tmp_path: Path):
    (tmp_path / "page.md").write_text(text)

    with pytest.raises(AssertionError, match=r"page\.md: a lone fence"):
        blocks_of(tmp_path / "page.md")


def test_traceback_of_an_example_shows_its_line(tmp_path: Path, runner: Runner):
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```python\na = 1\n1 / 0\n```\n")

    with pytest.raises(ZeroDivisionError) as failure:
        runner.run(*blocks_of(page))

    assert (str(failure.traceback[-1].path), failure.traceback[-1].lineno + 1) == (str(page), 5)


def test_jobs_of_examples_are_thrown_away():
    assert "orders.forget_token" not in registry.names()
