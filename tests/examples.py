"""How many examples a state machine tries: a few by default, for nights a hundred times as many.

HYPOTHESIS_PROFILE=long make test ARGS="tests/queues/ledger/test_ledger_machine.py"
"""

import os

from hypothesis import HealthCheck, settings

TIMES = 100 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 1


def examples(usual: int, steps: int) -> settings:
    """So many examples of so many steps, as the profile wants it."""
    return settings(
        max_examples=usual * TIMES,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
