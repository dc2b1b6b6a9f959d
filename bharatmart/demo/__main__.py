"""`python -m bharatmart.demo [--once]`; ONCE=1 in the environment means `--once`, so that `make demo ONCE=1` works."""

import argparse
import io
import os
import sys

from bharatmart.devservers.errors import DevServerError

from . import interrupts
from .errors import DemoError


def main() -> int:
    """0 after Ctrl-C in the open shop or, with --once, if every end state is as expected."""
    interrupts.install()  # before the imports that take long
    parser = argparse.ArgumentParser(prog="python -m bharatmart.demo", description="Real orders on real servers.")
    parser.add_argument("--once", action="store_true", help="check the end states, stop everything and exit")
    once = parser.parse_args().once or os.environ.get("ONCE", "0") not in ("", "0")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True, errors="replace")
    try:
        from .run import run

        return run(once)
    except KeyboardInterrupt:
        print("\nInterrupted; everything is stopped.")
        return interrupts.exit_code()
    except (DemoError, DevServerError) as error:
        print(f"\nThe demo cannot go on: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
