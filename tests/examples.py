"""How many examples a state machine tries."""

from hypothesis import HealthCheck, settings

LONG = "long"
LONGER = 100


def examples(usual: int, steps: int) -> settings:
    """So many examples of so many steps; under `--hypothesis-profile long` a hundred times as many."""
    times = LONGER if settings.get_current_profile_name() == LONG else 1
    return settings(
        max_examples=usual * times,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
