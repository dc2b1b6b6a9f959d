from typing import Any

import pytest

from orders.checks import check_shop_state


def test_a_shop_in_a_state_of_india_is_fine(settings: Any):
    settings.SHOP_STATE = "Tamil Nadu"

    assert check_shop_state() == []


@pytest.mark.parametrize(
    ("state", "hint"),
    [
        ("Karnatka", "Did you mean 'Karnataka'?"),
        ("Bavaria", "Expected a state or union territory, such as 'Karnataka'."),
    ],
)
def test_a_misspelt_state_is_refused_with_a_hint(settings: Any, state: str, hint: str):
    settings.SHOP_STATE = state

    (error,) = check_shop_state()

    assert (error.id, error.msg, error.hint) == ("orders.E001", f"SHOP_STATE: {state!r} is not a state of India.", hint)
