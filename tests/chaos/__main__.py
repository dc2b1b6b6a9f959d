"""`python -m tests.chaos`; SEED, ORDERS, FAULTS and LIMIT come from the environment or the command line."""

import argparse
import io
import os
import sys

from bharatmart.demo import interrupts
from bharatmart.demo.errors import DemoError
from bharatmart.devservers.errors import DevServerError


def main() -> int:
    """0 if every promise was kept, else 1."""
    interrupts.install()
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="The shop under fire.")
    for name, default, what in (
        ("seed", 1, "decides what is ordered and what goes wrong when"),
        ("orders", 500, "how many orders to ask for"),
        ("faults", 30, "how many faults to inject, at least one of each kind"),
        ("limit", 600, "seconds after which everything must have settled"),
    ):
        value = os.environ.get(name.upper()) or str(default)
        parser.add_argument(f"--{name}", type=int, default=value, help=f"{what} (default: %(default)s)")
    options = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True, errors="replace")
    try:
        from .run import run

        return run(options.seed, options.orders, options.faults, options.limit)
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped.")
        return interrupts.exit_code()
    except (DemoError, DevServerError) as error:
        print(f"\nChaos cannot go on: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
