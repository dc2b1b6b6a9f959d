"""The plan: the same for a seed, with every kind of fault."""

from collections import Counter

import pytest

from .conftest import ask
from .evidence import Evidence
from .faults import Injected
from .plan import GATEWAY_SILENT, KILL_SCHEDULER, KILL_WEB, KILL_WORKER, MAIL_BUSY, SCENARIOS, SECONDS, make_plan
from .telling import enough_fire, enough_paid


def test_a_seed_has_one_plan() -> None:
    assert make_plan(7, 500, 30) == make_plan(7, 500, 30)


def test_another_seed_has_another_plan() -> None:
    assert make_plan(7, 500, 30).faults != make_plan(8, 500, 30).faults
    assert make_plan(7, 500, 30).orders != make_plan(8, 500, 30).orders


@pytest.mark.parametrize("seed", range(1, 21))
def test_each_kind_comes_and_most_kills_are_of_workers(seed: int) -> None:
    plan = make_plan(seed, 500, 30)

    kinds = Counter(fault.kind for fault in plan.faults)

    assert set(kinds) == set(SECONDS)
    assert kinds.total() == 30
    assert kinds[KILL_WORKER] >= 2 * (kinds[KILL_WEB] + kinds[KILL_SCHEDULER])


def test_few_faults_are_still_one_of_each_kind() -> None:
    plan = make_plan(1, 50, 3)

    assert sorted(fault.kind for fault in plan.faults) == sorted(SECONDS)


def test_faults_come_in_order_while_orders_come() -> None:
    plan = make_plan(1, 500, 30)

    times = [fault.after_orders for fault in plan.faults]

    assert times == sorted(times)
    assert times[0] > 0
    assert times[-1] < 500


def test_each_scenario_is_ordered_and_some_want_the_last_units() -> None:
    plan = make_plan(1, 500, 30)

    assert {order.scenario for order in plan.orders} == set(SCENARIOS)
    assert 30 <= sum(order.scarce for order in plan.orders) <= 90


def test_a_run_without_a_kind_proves_too_little() -> None:
    injected = [Injected(kind, 0.0, busy=1) for kind in SECONDS if kind != KILL_WEB]

    assert enough_fire(injected, {}).broken == (f"no {KILL_WEB}",)


def test_a_run_whose_kills_hit_idle_workers_proves_too_little() -> None:
    injected = [Injected(kind, 0.0, busy=0) for kind in SECONDS]

    assert enough_fire(injected, {}).broken == ("only 0 of 3 kills hit a worker with jobs in hand",)


def test_a_run_whose_silence_nobody_heard_proves_too_little() -> None:
    injected = [Injected(kind, 0.0, busy=1) for kind in SECONDS]

    assert enough_fire(injected, {GATEWAY_SILENT: 1, MAIL_BUSY: 0}).broken == (f"no answer was spoiled by {MAIL_BUSY}",)


def test_a_run_in_which_the_shop_stood_still_proves_too_little(evidence: Evidence) -> None:
    assert enough_paid(evidence).kept

    ask("UPDATE orders_order SET state = 'cancelled' WHERE state = 'processing'")

    assert enough_paid(evidence).broken == ("expected 1 at least",)
