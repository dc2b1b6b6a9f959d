"""What a run leaves behind: latest.json, a plot beside it, the table in README.md, the bar of docs/performance.md."""

from collections.abc import Mapping
from pathlib import Path

from bharatmart.environment import BASE_DIR

from . import plot, report
from .statistics import Figure, rounded

LATEST = "latest.json"
BEGIN, END = "<!-- the latest table begins -->", "<!-- the latest table ends -->"
PLOTTED = ("drain_noop_c20_1proc", "drain_noop_c20_2proc", "jobs_20ms_c20", "start_latency_idle_p50")
STEPS = ("enqueue", "lease", "publish", "receive", "claim", "books_start", "verdict", "books_end")
LEDGER = ("enqueue", "lease", "claim", "verdict")
CPU = "drain_noop_c20_1proc_cpu_"


def publish(new: list[Figure], machine: Mapping[str, str], order: list[str], root: Path = BASE_DIR) -> None:
    """Write everything that the figures, new and kept ones, have a place in."""
    here = root / "benchmarks"
    figures = report.merged(report.read(here / LATEST), new, order)
    (here / LATEST).write_text(report.as_json(figures, machine))
    found = [figure for row in PLOTTED for figure in figures if figure.row == row]
    if found:
        (here / "latest.svg").write_text(plot.bars("BharatMart and its peers", found, report.OURS))
    _put_between(here / "README.md", _latest(figures, machine))
    if bar := time_of_a_job(figures):
        (root / "docs" / "performance.svg").write_text(bar)
        _put_between(root / "docs" / "performance.md", _limits(figures, machine))


def time_of_a_job(figures: list[Figure]) -> str:
    """Where the microseconds of a no-op job go: processor time by part, and the bare steps in batches of 50."""
    value = {figure.row: figure.value for figure in figures if figure.system in (report.OURS, "bare")}
    rows = [
        (
            "whole engine, CPU",
            [(name, value.get(CPU + name.split()[0], 0.0)) for name in ("worker", "postgres", "redis")],
        ),
        ("bare, batches of 10", [(step, value.get(f"promises_{step}_batch10", 0.0)) for step in STEPS]),
        ("bare, batches of 50", [(step, value.get(f"promises_{step}_batch50", 0.0)) for step in STEPS]),
    ]
    known = [(name, members) for name, members in rows if sum(part for _, part in members)]
    return plot.parts("Where the time of a no-op job goes", known, "us") if known else ""


def _latest(figures: list[Figure], machine: Mapping[str, str]) -> str:
    return f"{_machine(machine)}\n\n![Plot](latest.svg)\n\n{report.table(figures)}"


def _limits(figures: list[Figure], machine: Mapping[str, str]) -> str:
    """The bare steps summed up: what one connection to each server could do at most, by batch."""
    value = {figure.row: figure.value for figure in figures if figure.system == "bare"}
    lines = ["| batch | PostgreSQL, us/job | Redis, us/job | together | jobs/s at most |", "|---:|---:|---:|---:|---:|"]
    for batch in (1, 10, 50):
        steps = {step: value.get(f"promises_{step}_batch{batch}", 0.0) for step in STEPS}
        ledger = sum(steps[step] for step in LEDGER)
        both = sum(steps.values())
        if both:
            rate = rounded(1e6 / both)
            lines.append(
                f"| {batch} | {rounded(ledger):,g} | {rounded(both - ledger):,g} | {rounded(both):,g} | {rate:,g} |"
            )
    return f"{_machine(machine)}\n\n" + "\n".join(lines)


def _machine(machine: Mapping[str, str]) -> str:
    return ". ".join(f"{name}: {value}" for name, value in machine.items()) + "."


def _put_between(path: Path, text: str) -> None:
    """Replace what stands between the two marks of the page."""
    before, found, rest = path.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    if found:
        path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
