"""What each promise costs, bare: see benchmarks/bare.py."""

import sys
from typing import TYPE_CHECKING

from ..systems.base import System
from .base import Reading, Row

if TYPE_CHECKING:
    from ..bench import Bench


class Promises(Row):
    """No system of jobs is involved, so the figures stand under the name `bare`."""

    def measure(self, system: System, bench: "Bench") -> list[Reading]:
        system.empty()
        servers = bench.servers
        env = {"BARE_DATABASE": servers.postgres.url_of("bench"), "BARE_REDIS": servers.valkey.url}
        answer = bench.crew.run("bare", [sys.executable, "-m", "benchmarks.bare"], bench.bare_env | env)
        return [Reading(f"{self.name}_{step}", "bare", value, "us/job") for step, value in answer.items()]
