"""The fenced blocks of a Markdown page, and what it means to run them.

- `python` whose first line is `# path/of/a/file.py` is that file: it is imported as the module of that name, and its
  tests are run. Other `python` goes on where the last such block ended.
- `sh` is commands of manage.py; what they would write with `>` is left out.
- `(not run: <why>)` behind either: it is compiled, or read by the command's own parser, and no more.

Anything else is not known how to run, and fails.
"""

import inspect
import re
import shlex
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.db import transaction
from django.test import override_settings

from queues.settings import mistakes_in

BLOCK = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
INFO = re.compile(r"(python|sh)( \(not run: .+\))?")
FILE = re.compile(r"# (\S+)\.py\n")


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` is where its text begins."""

    page: Path
    line: int
    info: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def code(self) -> CodeType:
        """Compiled so that tracebacks show the page."""
        return compile("\n" * (self.line - 1) + self.text, str(self.page), "exec")

    @property
    def commands(self) -> list[list[str]]:
        lines = [line for line in self.text.splitlines() if line.strip()]
        return [shlex.split(line.partition(">")[0], comments=True) for line in lines]


def blocks_of(page: Path) -> list[Block]:
    """In their order; a fence that opens or closes none is a mistake of the page."""
    text = page.read_text()
    assert len(re.findall(r"^ *```", text, re.MULTILINE)) == 2 * len(BLOCK.findall(text)), f"{page.name}: a lone fence"
    return [
        Block(page, text.count("\n", 0, found.start()) + 2, found[2].strip(), textwrap.dedent(found[3]))
        for found in BLOCK.finditer(text)
    ]


class Runner:
    """Runs the blocks of one page, one after the other."""

    def __init__(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        self.request = request
        self.monkeypatch = monkeypatch
        self.names: dict[str, Any] = {}

    def run(self, block: Block) -> None:
        info = INFO.fullmatch(block.info)
        if info is None:
            pytest.fail(f"{block}: nobody knows how to run a block marked {block.info!r}")
        kind, only_read = info[1], bool(info[2])
        if kind == "sh":
            for words in block.commands:
                self._command(block, words, only_read)
        elif only_read:
            assert block.code
        elif FILE.match(block.text):
            self._file(block)
        else:
            exec(block.code, self.names)

    def _command(self, block: Block, words: list[str], only_read: bool) -> None:
        if words[:2] != ["python", "manage.py"] or len(words) < 3:
            pytest.fail(f"{block}: no command of manage.py: {shlex.join(words)}")
        name, *arguments = words[2:]
        try:
            if only_read:
                load_command_class(get_commands()[name], name).create_parser("manage.py", name).parse_args(arguments)
            else:
                call_command(name, *arguments, stdout=StringIO())
        except (CommandError, SystemExit) as error:
            pytest.fail(f"{block}: {shlex.join(words)}: {error}")

    def _file(self, block: Block) -> None:
        path = FILE.match(block.text)[1]  # type: ignore[index]
        module = ModuleType(path.replace("/", "."))
        module.__package__ = module.__name__.rpartition(".")[0]
        if path != "bharatmart/settings":
            self._install(module)
        exec(block.code, module.__dict__)
        if path == "bharatmart/settings":
            self._declare_queues(module.__dict__["QUEUES"])
        for name, function in vars(module).copy().items():
            if name.startswith("test_"):
                self._test(function)

    def _install(self, module: ModuleType) -> None:
        self.monkeypatch.setitem(sys.modules, module.__name__, module)
        parent = import_module(module.__package__ or "")
        self.monkeypatch.setattr(parent, module.__name__.rpartition(".")[2], module, raising=False)

    def _declare_queues(self, queues: dict[str, Any]) -> None:
        for mistake in mistakes_in(queues):
            pytest.fail(f"{mistake.text} {mistake.hint}")
        more = override_settings(QUEUES={**settings.QUEUES, **queues})
        more.enable()
        self.request.addfinalizer(more.disable)

    def _test(self, function: Callable[..., None]) -> None:
        """Run a test with the fixtures it names, and take back what it wrote."""
        needed = {name: self.request.getfixturevalue(name) for name in inspect.signature(function).parameters}
        with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
            function(**{**needed, **({"monkeypatch": patch} if "monkeypatch" in needed else {})})
            transaction.set_rollback(True)
