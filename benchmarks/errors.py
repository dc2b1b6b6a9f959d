"""What ends a benchmark."""


class BenchError(Exception):
    """The benchmark cannot go on."""
