"""Medians, ratios, and the shape of what is written."""

import json
import math

import pytest

from benchmarks import report
from benchmarks.statistics import Figure, quantile, ratio


def test_the_value_is_the_median_of_the_runs() -> None:
    assert Figure("r", "s", "jobs/s", [1000.0, 9000.0, 1200.0]).value == 1200
    assert Figure("r", "s", "ms", [1.0, 2.0]).value == 1.5


def test_a_quantile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(1, 101)]

    assert (quantile(values, 0.5), quantile(values, 0.99), quantile([3.0], 0.99)) == (50, 99, 3)
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


def test_a_ratio_above_one_means_that_ours_is_better() -> None:
    assert ratio(Figure("r", "ours", "jobs/s", [800]), Figure("r", "peer", "jobs/s", [400])) == 2
    assert ratio(Figure("r", "ours", "ms", [800]), Figure("r", "peer", "ms", [400])) == 0.5
    assert math.isnan(ratio(Figure("r", "ours", "ms", [0]), Figure("r", "peer", "ms", [4])))


def test_the_json_has_rows_of_this_shape() -> None:
    written = report.as_json([Figure("drain", "bullmq", "jobs/s", [3.0, 1.0, 2.0])], {"memory": "1 GB"})

    assert json.loads(written) == {
        "rows": [{"row": "drain", "system": "bullmq", "value": 2.0, "unit": "jobs/s", "runs": [3.0, 1.0, 2.0]}],
        "machine": {"memory": "1 GB"},
    }


def test_a_row_that_is_measured_anew_replaces_the_old_one_whole(tmp_path) -> None:
    # given: ratios hold within one run alone, so nothing of the row's earlier run may stay
    path = tmp_path / "latest.json"
    old = [Figure("a", "ours", "ms", [1]), Figure("a", "peer", "ms", [2]), Figure("b", "ours", "ms", [3])]
    path.write_text(report.as_json(old, {}))

    # when
    merged = report.merged(report.read(path), [Figure("a", "ours", "ms", [5])], order=["b", "a"])

    # then
    assert [(figure.row, figure.system, figure.value) for figure in merged] == [("b", "ours", 3), ("a", "ours", 5)]


def test_the_table_has_the_ratio_against_each_peer() -> None:
    table = report.table([Figure("a", "bharatmart", "jobs/s", [500]), Figure("a", "bullmq", "jobs/s", [1000])])

    assert "| `a` | bharatmart | 500 | jobs/s |  | 500 |" in table
    assert "| `a` | bullmq | 1,000 | jobs/s | 0.50 | 1,000 |" in table
