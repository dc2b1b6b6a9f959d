"""The guard: leads the process group of the supervisor's children and ends it when the supervisor is gone.

Run by supervisor.py as `python guard.py GRACE`, with a pipe as its stdin that the supervisor alone holds open: however
the supervisor ends, the pipe ends with it. Works on any Unix, and for children of children too.
"""

import os
import signal
import sys
import time


def main(grace: float) -> None:
    """Wait for the end of stdin; then SIGTERM for the group, and SIGKILL after `grace` seconds."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGTERM)
    time.sleep(grace)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(float(sys.argv[1]))
