"""`python -m benchmarks`; ROWS, RUNS, SECONDS and FULL come from the environment or the command line."""

import argparse
import io
import os
import sys

from bharatmart.demo import interrupts
from bharatmart.demo.errors import DemoError
from bharatmart.devservers.errors import DevServerError

from .bench import Options
from .errors import BenchError


def main() -> int:
    """0 if every wanted row was measured, else 1."""
    interrupts.install()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="BharatMart and its peers, measured.")
    given = os.environ.get
    parser.add_argument("--rows", default=given("ROWS") or "*", help="names or globs, with commas (default: all)")
    parser.add_argument("--systems", default=given("SYSTEMS") or "*", help="the same for the systems")
    parser.add_argument("--runs", type=int, default=given("RUNS") or "3", help="runs of each system (default: 3)")
    parser.add_argument("--seconds", type=float, default=given("SECONDS") or "5", help="of a throughput run")
    parser.add_argument("--full", action="store_true", default=bool(given("FULL")), help="the largest sizes")
    parser.add_argument("--list", action="store_true", help="only list the rows")
    words = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True, errors="replace")
    try:
        from .run import run, wanted

        if words.list:
            print("\n".join(f"{row.name:<28} {', '.join(row.systems)}" for row in wanted(words.rows)))
            return 0
        return run(words.rows, words.systems, Options(words.runs, words.seconds, words.full))
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped.")
        return interrupts.exit_code()
    except (BenchError, DemoError, DevServerError) as error:
        print(f"\nThe benchmark cannot go on: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
