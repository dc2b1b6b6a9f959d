import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.models.catalogue import GST_RATES
from orders.money import Gst, format_amount, format_rupees, group_digits, rupees_in_words, split_gst

paise = st.integers(min_value=0, max_value=10**15)


@pytest.mark.parametrize(
    ("amount_paise", "text"),
    [
        (0, "₹0.00"),
        (5, "₹0.05"),
        (99_999, "₹999.99"),
        (100_000, "₹1,000.00"),
        (9_999_900, "₹99,999.00"),
        (12_345_600, "₹1,23,456.00"),
        (1_234_567_890, "₹1,23,45,678.90"),
        (-64_900, "-₹649.00"),
    ],
)
def test_rupees_are_grouped_the_indian_way(amount_paise: int, text: str):
    assert format_rupees(amount_paise) == text
    assert format_amount(amount_paise) == text.replace("₹", "")


def test_a_float_is_refused():
    with pytest.raises((TypeError, ValueError)):
        format_rupees(159.2)  # type: ignore[arg-type]


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_what_is_written_can_be_read_back(amount_paise: int):
    text = format_rupees(amount_paise)

    assert re.fullmatch(r"-?₹(\d{1,2},(\d{2},)*\d{3}|\d{1,3})\.\d{2}", text)
    assert int(re.sub(r"[₹,.]", "", text)) == amount_paise


@given(st.integers(min_value=0, max_value=10**15))
def test_grouping_only_adds_commas(number: int):
    assert group_digits(number).replace(",", "") == str(number)


@given(paise, st.sampled_from(GST_RATES), st.booleans())
def test_gst_adds_up_to_the_paisa(total_paise: int, rate: int, within_state: bool):
    gst = split_gst(total_paise, rate, within_state=within_state)

    assert gst.total_paise == total_paise
    assert gst.taxable_paise + gst.cgst_paise + gst.sgst_paise + gst.igst_paise == total_paise
    assert min(gst.taxable_paise, gst.cgst_paise, gst.sgst_paise, gst.igst_paise) >= 0


@given(paise, st.sampled_from(GST_RATES), st.booleans())
def test_gst_is_exact_to_the_paisa(total_paise: int, rate: int, within_state: bool):
    gst = split_gst(total_paise, rate, within_state=within_state)

    # |taxable - total * 100 / (100 + rate)| <= 1 paisa, in whole numbers
    assert abs(gst.taxable_paise * (100 + rate) - total_paise * 100) <= 100 + rate
    parts = (gst.cgst_paise, gst.sgst_paise) if within_state else (gst.igst_paise,)
    for part in parts:  # |part - total * rate / (100 + rate) / number of parts| <= half a paisa
        assert abs(2 * len(parts) * part * (100 + rate) - 2 * total_paise * rate) <= len(parts) * (100 + rate)


@given(paise, st.sampled_from(GST_RATES))
def test_within_the_state_both_taxes_are_equal_and_there_is_no_third(total_paise: int, rate: int):
    inside, outside = (split_gst(total_paise, rate, within_state=within) for within in (True, False))

    assert (inside.cgst_paise, inside.igst_paise) == (inside.sgst_paise, 0)
    assert (outside.cgst_paise, outside.sgst_paise) == (0, 0)
    assert abs(inside.tax_paise - outside.tax_paise) <= 1


@given(paise)
def test_a_rate_of_nought_takes_nothing(total_paise: int):
    assert split_gst(total_paise, 0, within_state=True) == Gst(total_paise)


@pytest.mark.parametrize(
    ("total_paise", "rate", "within_state", "expected"),
    [
        (10_500, 5, False, Gst(10_000, igst_paise=500)),
        (10_500, 5, True, Gst(10_000, 250, 250)),
        (11_800, 18, True, Gst(10_000, 900, 900)),
        (100, 5, False, Gst(95, igst_paise=5)),  # 4.76 -> 5
        (100, 5, True, Gst(96, 2, 2)),  # 2.38 -> 2, twice
        (21, 5, True, Gst(19, 1, 1)),  # 0.5 is rounded up
        (1, 18, False, Gst(1)),
    ],
)
def test_gst_of_known_prices(total_paise: int, rate: int, within_state: bool, expected: Gst):
    assert split_gst(total_paise, rate, within_state=within_state) == expected


@given(st.lists(st.tuples(paise, st.sampled_from(GST_RATES)), max_size=10), st.booleans())
def test_sums_of_lines_add_up_too(lines: list[tuple[int, int]], within_state: bool):
    total = sum((split_gst(amount, rate, within_state=within_state) for amount, rate in lines), Gst())

    assert total.total_paise == sum(amount for amount, _ in lines)


@pytest.mark.parametrize(
    ("amount_paise", "words"),
    [
        (0, "Rupees Zero Only"),
        (100, "Rupees One Only"),
        (1_905, "Rupees Nineteen and Five Paise Only"),
        (6_419_400, "Rupees Sixty Four Thousand One Hundred Ninety Four Only"),
        (12_345_650, "Rupees One Lakh Twenty Three Thousand Four Hundred Fifty Six and Fifty Paise Only"),
        (1_000_000_000, "Rupees One Crore Only"),
        (
            12_340_006_700_000,
            "Rupees Twelve Thousand Three Hundred Forty Crore Sixty Seven Thousand Only",
        ),
    ],
)
def test_amounts_in_words(amount_paise: int, words: str):
    assert rupees_in_words(amount_paise) == words
