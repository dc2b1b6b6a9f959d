"""A run whose jobs were lost or ran twice says nothing about speed."""

import pytest

from benchmarks import belief
from benchmarks.marks import Mark, count, mark, read


def test_a_run_in_which_each_job_ran_once_is_believed() -> None:
    belief.complete(range(3), [2, 0, 1])


@pytest.mark.parametrize(
    ("ran", "told"),
    [
        ([0, 2], "of 3 jobs 1 lost (such as 1)"),
        ([0, 1, 1, 2], "of 3 jobs 1 run twice (such as 1)"),
        ([0, 1, 2, 7], "of 3 jobs 1 never asked for (such as 7)"),
        ([1, 1], "of 3 jobs 2 lost (such as 0), 1 run twice (such as 1)"),
    ],
)
def test_a_lost_a_doubled_and_a_strange_job_are_refused(ran, told) -> None:
    with pytest.raises(belief.NotBelieved) as refused:
        belief.complete(range(3), ran)

    assert str(refused.value) == told


def test_the_clock_runs_from_when_every_process_has_begun() -> None:
    marks = [Mark(0, 10.0, 0), Mark(1, 11.0, 0), Mark(2, 12.0, 1), Mark(3, 13.0, 0), Mark(4, 14.0, 1)]

    start, inside = belief.window(marks, slots=2)

    assert (start, [mark.number for mark in inside]) == (12.0, [3, 4])


def test_a_process_that_ran_nothing_spoils_the_run() -> None:
    with pytest.raises(belief.NotBelieved, match="only 1 of 2 processes ran jobs"):
        belief.window([Mark(0, 10.0, 0), Mark(1, 11.0, 0)], slots=2)


def test_a_process_that_came_too_late_spoils_the_run() -> None:
    early = [Mark(number, 10.0 + number, 0) for number in range(9)]

    with pytest.raises(belief.NotBelieved, match="10 of 11 jobs ran before every process had begun"):
        belief.window([*early, Mark(9, 20.0, 1), Mark(10, 21.0, 0)], slots=2)


def test_marks_are_read_as_they_were_left(tmp_path, monkeypatch) -> None:
    # given
    path = tmp_path / "marks"
    monkeypatch.setenv("BENCH_MARKS", str(path))
    monkeypatch.setenv("BENCH_SLOT", "1")

    # when
    mark(7)
    mark(8)

    # then
    assert count(path) == 2
    assert [(found.number, found.slot) for found in read(path)] == [(7, 1), (8, 1)]
