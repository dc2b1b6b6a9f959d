"""Text tables for terminals."""

from queues.ops.text_tables import table


def test_column_is_as_wide_as_its_longest_cell():
    assert table([("queue", "jobs", ""), ("order", 12_345, "paused"), ("payment", 0, "")], "<><") == (
        "queue     jobs\norder    12345  paused\npayment      0\n"
    )


def test_column_is_at_least_so_wide():
    rows = [("queue", "jobs"), ("order", 12_345)]

    assert table(rows, "<>", (7, 4)) == "queue     jobs\norder    12345\n"
