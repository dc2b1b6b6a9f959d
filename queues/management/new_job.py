"""`manage.py queues new-job`: writes a job, its service, its test and its place in docs/flow.md, or nothing at all."""

import ast
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from inspect import Parameter, Signature
from itertools import takewhile
from pathlib import Path

from django.apps import AppConfig, apps
from django.utils.module_loading import module_has_submodule

from queues import job
from queues.definitions import registry
from queues.definitions.event import Event
from queues.ops.flow import flow_page

from . import new_job_texts as texts

ROOT = Path(__file__).resolve().parents[2]


class Refused(Exception):
    """The job cannot be written; the text says why. Nothing was changed."""


def own_apps() -> dict[str, AppConfig]:
    """The project's apps that may have jobs, by label."""
    configs = [config for config in apps.get_app_configs() if config.label != "queues"]
    return {config.label: config for config in configs if Path(config.path) == ROOT.joinpath(*config.name.split("."))}


def known_events() -> dict[str, tuple[AppConfig, Event]]:
    """The events declared in an `events.py`, by name, with their app."""
    found: dict[str, tuple[AppConfig, Event]] = {}
    for app in own_apps().values():
        if app.module is not None and module_has_submodule(app.module, "events"):
            declared = vars(import_module(f"{app.name}.events"))
            found |= {name: (app, value) for name, value in declared.items() if isinstance(value, Event)}
    return found


def only_queue_of(app: AppConfig) -> str:
    """The queue of all the app's jobs; Refused if they have none or several."""
    queues = sorted({job.queue for job in registry.all_jobs() if job.name.startswith(f"{app.label}.")})
    if len(queues) != 1:
        raise Refused(f"say --queue: the jobs of {app.label} are in {', '.join(queues) or 'no queue yet'}")
    return queues[0]


@dataclass(frozen=True)
class NewJob:
    """What is to be written. `event` is the name of a known one, or empty."""

    app: AppConfig
    name: str
    queue: str
    event: str = ""

    @property
    def parameters(self) -> dict[str, type]:
        """The arguments of the event; ids are numbers."""
        names = known_events()[self.event][1].arguments if self.event else ()
        return {name: int if name.endswith("_id") else str for name in names}

    @property
    def words(self) -> dict[str, str]:
        """What the texts of new_job_texts.py name."""
        in_package = (Path(self.app.path) / "services").is_dir()
        package, function = self.app.name, f"run_{self.name}" if in_package else self.name
        service = f"services.{self.name}" if in_package else "services"
        origin = f".{service} import {function}" if in_package else ". import services"
        parameters = self.parameters
        return {
            "app": self.app.label,
            "module": package,
            "job": f"{self.app.label}.{self.name}",
            "name": self.name,
            "title": self.name.replace("_", " ").capitalize(),
            "queue": self.queue,
            "event": self.event,
            "options": f'queue="{self.queue}"' + (f", on={self._event_words()[1]}" if self.event else ""),
            "parameters": ", ".join(f"{name}: {kind.__name__}" for name, kind in parameters.items()),
            "arguments": ", ".join(parameters),
            "values": ", ".join(f"{name}={_sample(kind)}" for name, kind in parameters.items()),
            "positional": "".join(f"{_sample(kind)}," for kind in parameters.values()),
            "sample": ", ".join(_sample(kind) for kind in parameters.values()),
            "service": f"{package}.{service}.{function}",
            "function": function,
            "call": function if in_package else f"services.{function}",
            "target": f"{package}.jobs.{function}" if in_package else f"{package}.services.{function}",
            "service_import": f"from {origin}",
            "imports": f"from {package}{origin}" if in_package else f"from {package} import services",
        }

    def _event_words(self) -> tuple[str, str]:
        """How jobs.py imports the event, and how it names it then; nothing without an event."""
        if not self.event:
            return "", ""
        home = known_events()[self.event][0].name
        if home == self.app.name:
            return "from . import events", f"events.{self.event}"
        return f"from {home}.events import {self.event}", self.event

    def files(self) -> dict[Path, str]:
        """The texts to be written, with what stands there already; Refused if the job would collide with it."""
        words, folder = self.words, Path(self.app.path)
        service = folder / ("services.py" if words["call"].startswith("services.") else f"services/{self.name}.py")
        test = ROOT / "tests" / self.app.label / f"test_{self.name}.py"
        jobs = folder / "jobs.py"
        if words["job"] in registry.names():
            raise Refused(f"there is a job named {words['job']!r} already: choose another name")
        _refuse_existing(test, *([service] if service.parent != folder else []))
        imports = ["from queues import job", words["service_import"], self._event_words()[0]]
        files = {
            service: grown(service, texts.SERVICE_FILE, [], texts.SERVICE, words, words["function"]),
            jobs: grown(jobs, texts.JOBS_FILE, imports, texts.JOB, words, self.name),
            test: _tidy(test, self._test_text(words)),
        }
        if not (test.parent / "__init__.py").exists():
            files[test.parent / "__init__.py"] = ""
        return {**files, ROOT / "docs" / "flow.md": self._flow_page(words["title"])}

    def _test_text(self, words: dict[str, str]) -> str:
        imports = words["imports"]
        if self.event:
            imports += f"\nfrom {known_events()[self.event][0].name}.events import {self.event}"
        kind = texts.TEST_OF_A_REACTION if self.event else texts.TEST_OF_A_JOB
        return (kind + texts.TEST_OF_THE_STUB).format(**{**words, "imports": imports})

    def _flow_page(self, title: str) -> str:
        """docs/flow.md as it will be once the job is there."""

        def stub() -> None: ...

        stub.__name__, stub.__module__, stub.__doc__ = self.name, f"{self.app.name}.jobs", f"{title}."
        parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in self.parameters]
        stub.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        event = known_events()[self.event][1] if self.event else None
        definition = job(queue=self.queue, on=event or ())(stub)
        try:
            return flow_page()
        finally:
            registry.forget(definition.name)


def _sample(kind: type) -> str:
    return "1" if kind is int else '"a"'


def _refuse_existing(*paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise Refused(f"{path.relative_to(ROOT)} is there already: choose another name")


def grown(path: Path, head: str, imports: list[str], text: str, words: dict[str, str], name: str) -> str:
    """The file (or a new one that begins with `head`) with more imports and, at its end, the text that binds `name`."""
    before = path.read_text() if path.exists() else head.format(**words)
    tree, wanted = ast.parse(before), ast.parse("\n".join(imports))
    taken = {name} & (_imported(tree) | _defined(tree) | _imported(wanted)) or _imported(wanted) & _defined(tree)
    if taken:
        raise Refused(f"{path.parent.name}/{path.name} would have {taken.pop()!r} twice: choose another name")
    lines, end = before.splitlines(), _end_of_imports(tree)
    return _tidy(path, "\n".join([*lines[:end], *imports, *lines[end:]]) + "\n" + text.format(**words))


def _end_of_imports(tree: ast.Module) -> int:
    """The last line of the docstring and the imports behind it."""
    top = takewhile(lambda node: isinstance(node, ast.Expr | ast.Import | ast.ImportFrom), tree.body)
    return max((node.end_lineno or 0 for node in top), default=0)


def _imported(tree: ast.Module) -> set[str]:
    nodes = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return {(alias.asname or alias.name).partition(".")[0] for node in nodes for alias in node.names}


def _defined(tree: ast.Module) -> set[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    return names | {node.name for node in tree.body if isinstance(node, kinds)}


def _tidy(path: Path, text: str) -> str:
    """Imports sorted and lines wrapped as `make format` would."""
    ours = sorted({app.name.partition(".")[0] for app in own_apps().values()} | {"queues", "tests"})
    known = f"--config=lint.isort.known-first-party={ours}"  # ruff does not see modules that are not written yet
    for words in (["check", "--select=I", "--fix-only", "--exit-zero", known], ["format"]):
        call = [sys.executable, "-m", "ruff", *words, "--quiet", f"--stdin-filename={path}", "-"]
        done = subprocess.run(call, input=text, capture_output=True, text=True, cwd=ROOT, check=False)
        if done.returncode:
            raise Refused(f"ruff, of requirements/dev.txt, is needed and said: {done.stderr.strip()}")
        text = done.stdout
    return text
