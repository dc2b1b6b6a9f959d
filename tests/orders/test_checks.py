from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import CheckMessage

from orders.checks import check_gstin, check_gstin_is_the_shops, check_review_window, check_shop_state


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


def told(errors: list[CheckMessage]) -> list[tuple[str | None, str]]:
    return [(error.id, error.msg) for error in errors]


@pytest.mark.parametrize(
    ("state", "gstin", "errors"),
    [
        ("Karnataka", "29AABCB1234M1Z5", []),
        ("Delhi", "07AABCB1234M1Z5", []),
        ("Karnataka", "29aabcb1234m1z5", [("orders.E002", "SHOP_GSTIN: '29aabcb1234m1z5' is not a GSTIN.")]),
        ("Karnataka", "", [("orders.E002", "SHOP_GSTIN: '' is not a GSTIN.")]),
        (
            "Delhi",
            "29AABCB1234M1Z5",
            [("orders.E003", "SHOP_GSTIN: '29AABCB1234M1Z5' belongs to another state than SHOP_STATE.")],
        ),
    ],
)
def test_a_gstin_is_one_and_of_the_shops_state(settings: Any, state: str, gstin: str, errors: list[tuple[str, str]]):
    settings.SHOP_STATE, settings.SHOP_GSTIN = state, gstin

    assert told(check_gstin()) == errors


@pytest.mark.parametrize(("gstin", "ids"), [("29AABCB1234M1Z5", ["orders.W001"]), ("29AAGCB7383J1Z4", [])])
def test_who_deploys_with_the_number_of_the_example_is_warned(settings: Any, gstin: str, ids: list[str]):
    settings.SHOP_GSTIN = gstin

    assert [warning.id for warning in check_gstin_is_the_shops()] == ids


@pytest.mark.parametrize(
    ("window", "alarm", "errors"),
    [
        (345_600, 86_400, []),
        (432_000, 86_400, [("orders.E004", "REVIEW_WINDOW: 432000 s is not inside the capture window.")]),
        (0, 86_400, [("orders.E004", "REVIEW_WINDOW: 0 s is not inside the capture window.")]),
        (3_600, 3_600, [("orders.E005", "REVIEW_ALARM: 3600 s before the deadline is no warning.")]),
        (3_600, 0, [("orders.E005", "REVIEW_ALARM: 0 s before the deadline is no warning.")]),
    ],
)
def test_reviews_end_inside_the_capture_window(settings: Any, window: int, alarm: int, errors: list[tuple[str, str]]):
    settings.REVIEW_WINDOW, settings.REVIEW_ALARM = timedelta(seconds=window), timedelta(seconds=alarm)

    assert told(check_review_window()) == errors
