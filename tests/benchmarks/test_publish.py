"""What a run leaves behind."""

import json
from xml.etree import ElementTree

from benchmarks import plot
from benchmarks.publish import BEGIN, END, publish
from benchmarks.statistics import Figure

FIGURES = [
    Figure("drain_noop_c20_1proc", "bharatmart", "jobs/s", [500.0]),
    Figure("drain_noop_c20_1proc", "bullmq", "jobs/s", [1000.0]),
    Figure("drain_noop_c20_1proc_cpu_worker", "bharatmart", "us/job", [90.0]),
    Figure("promises_claim_batch50", "bare", "us/job", [30.0]),
]


def test_a_run_writes_json_plots_and_the_table(tmp_path) -> None:
    # given
    for name in ("benchmarks", "docs"):
        (tmp_path / name).mkdir()
    (tmp_path / "docs" / "performance.md").write_text(f"{BEGIN}\n{END}\n")
    readme = tmp_path / "benchmarks" / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")

    # when
    publish(FIGURES, {"memory": "1 GB"}, order=["drain_noop_c20_1proc", "promises"], root=tmp_path)

    # then
    assert len(json.loads((tmp_path / "benchmarks" / "latest.json").read_text())["rows"]) == 4
    assert "| `drain_noop_c20_1proc` | bullmq | 1,000 |" in readme.read_text()
    assert "old" not in readme.read_text()
    assert readme.read_text().endswith("after\n")
    assert "| 50 | 30 | 0 | 30 | 33,330 |" in (tmp_path / "docs" / "performance.md").read_text()
    for path in ("benchmarks/latest.svg", "docs/performance.svg"):
        assert ElementTree.parse(tmp_path / path).getroot().tag.endswith("svg")


def test_bars_are_as_long_as_their_values() -> None:
    root = ElementTree.fromstring(plot.bars("t", FIGURES[:2], "bharatmart"))

    ours, theirs = [
        float(e.attrib["width"]) for e in root.iter() if e.tag.endswith("rect") and e.attrib["width"] != "100%"
    ]
    assert abs(theirs - 2 * ours) < 0.2
