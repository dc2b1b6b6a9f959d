import io
import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import uharfbuzz as hb
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from orders.invoices.data import InvoiceData, InvoiceLine, Party
from orders.invoices.page import FONTS, PLAIN
from orders.invoices.pdf import render_invoice
from orders.models.catalogue import GST_RATES
from orders.money import format_amount, format_rupees, split_gst

SELLER = Party("BharatMart", ("12 MG Road, Bengaluru, Karnataka 560001",), "Karnataka", "29AABCB1234M1Z5")
BUYER = Party("Priya Sharma", ("14 Lotus Lane", "Bengaluru 560038"), "Karnataka", phone="9876543210")


def line(
    name: str = "Aged Basmati Rice",
    price: int = 74_900,
    quantity: int = 2,
    rate: int = 5,
    within: bool = True,
    hsn: str = "100630",
):
    gst = split_gst(price * quantity, rate, within_state=within)
    return InvoiceLine(name, hsn, quantity, price, rate, gst)


def invoice(*lines: InvoiceLine, buyer: Party = BUYER) -> InvoiceData:
    return InvoiceData(
        number="BM/26-27/000042",
        issued_at=datetime(2026, 11, 22, 9, 30, tzinfo=ZoneInfo("Asia/Kolkata")),
        order_id=1042,
        ordered_on=date(2026, 11, 21),
        paid_on=date(2026, 11, 21),
        seller=SELLER,
        buyer=buyer,
        lines=lines or (line(),),
    )


def pages_of(data: InvoiceData) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(render_invoice(data))).pages]


def test_an_invoice_within_the_state_shows_cgst_and_sgst():
    text = pages_of(invoice(line(price=74_900, quantity=2, rate=5), line("Mixer Grinder", 349_900, 1, 18)))[0]

    for part in (
        "TAX INVOICE",
        "BM/26-27/000042",
        "22 Nov 2026",
        "1042 of 21 Nov 2026",
        "GSTIN 29AABCB1234M1Z5",
        "Karnataka (29)",
        "Priya Sharma",
        "Bengaluru 560038",
        "100630",
        "₹4,997.00",
        "Rupees Four Thousand Nine Hundred Ninety Seven Only",
        "CGST",
        "SGST",
    ):
        assert part in text
    assert "IGST" not in text


def test_an_invoice_to_another_state_shows_igst():
    buyer = replace(BUYER, state="Maharashtra")

    text = pages_of(invoice(line(within=False), buyer=buyer))[0]

    assert "IGST" in text
    assert "Maharashtra (27)" in text
    assert "CGST" not in text
    assert "71.33" in text  # 1,498.00 x 5 / 105


@given(
    st.lists(
        st.tuples(st.integers(1, 10**9), st.integers(1, 100), st.sampled_from(GST_RATES)), min_size=1, max_size=50
    ),
    st.booleans(),
)
def test_the_columns_add_up_to_the_total(wanted: list[tuple[int, int, int]], within: bool):
    data = invoice(*[line("x", price, quantity, rate, within) for price, quantity, rate in wanted])

    total = sum(price * quantity for price, quantity, _ in wanted)
    assert data.total.total_paise == total
    assert data.total.taxable_paise == sum(one.gst.taxable_paise for one in data.lines)
    assert sum(gst.total_paise for gst in data.by_hsn().values()) == total


def test_the_printed_columns_are_those_of_the_data():
    data = invoice(*[line(f"Item {number}", 9_999 * number, number, GST_RATES[number % 7]) for number in range(1, 12)])

    text = "\n".join(pages_of(data))

    for one in data.lines:
        assert format_amount(one.gst.taxable_paise) in text
        assert format_amount(one.gst.total_paise) in text
    assert format_amount(data.total.cgst_paise) in text
    assert format_rupees(data.total.total_paise) in text


def test_the_tax_is_summed_up_by_hsn_and_rate():
    data = invoice(
        line("Rice", 10_500, 1, 5, hsn="100630"),
        line("Mixer", 11_800, 1, 18, hsn="850940"),
        line("Old rice", 21_000, 1, 5, hsn="100630"),
        line("Spare jar", 2_360, 1, 18, hsn="100630"),
    )

    text = "\n".join(pages_of(data))

    assert {kind: (gst.taxable_paise, gst.tax_paise) for kind, gst in data.by_hsn().items()} == {
        ("100630", 5): (30_000, 1_500),
        ("100630", 18): (2_000, 360),
        ("850940", 18): (10_000, 1_800),
    }
    summary = " ".join(text[text.index("TAX SUMMARY BY HSN") :].split())
    for row in (
        "100630 5% 300.00 7.50 7.50 15.00",
        "100630 18% 20.00 1.80 1.80 3.60",
        "850940 18% 100.00 9.00 9.00 18.00",
    ):
        assert row in summary


def test_in_a_territory_without_a_legislature_the_second_half_is_utgst():
    home = replace(BUYER, state="Chandigarh")
    data = replace(invoice(buyer=home), seller=replace(SELLER, state="Chandigarh"))

    text = pages_of(data)[0]

    assert "UTGST" in text
    assert "SGST" not in text.replace("UTGST", "")


def test_fifty_lines_go_over_pages_with_the_head_repeated():
    data = invoice(*[line(f"Item number {number}") for number in range(1, 51)])

    pages = pages_of(data)

    assert len(pages) > 1
    assert all(f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, 1))
    assert all("HSN" in page for page in pages if "Item number" in page)
    printed = "\n".join(pages)
    assert re.findall(r"Item number (\d+)", printed) == [str(number) for number in range(1, 51)]


HINDI = ("प्रिया शर्मा", "फ्लैट 12, श्री कृष्णा अपार्टमेंट", "पंचतंत्र की कहानियाँ")


def test_hindi_is_shaped_and_spoils_nothing_that_follows():
    """A line that begins in the second font used to scramble the Latin lines after it."""
    buyer = Party(HINDI[0], (HINDI[1], "Mysuru 570001"), "Karnataka", phone="9876543210")

    text = pages_of(invoice(line(HINDI[2]), line("Toor Dal"), buyer=buyer))[0]

    for part in ("Mysuru 570001", "Phone 9876543210", "Toor Dal", "Thank you for shopping with us!"):
        assert part in text


def test_a_font_is_in_the_file_only_if_it_is_needed():
    def fonts_of(data: InvoiceData) -> set[bytes]:
        return set(re.findall(rb"/BaseFont /\w+\+(\w+)", render_invoice(data)))

    needed = {b"NotoSans", b"NotoSansBold", b"NotoSansDevanagariBold"}  # the last for the greeting
    assert fonts_of(invoice()) == needed
    assert fonts_of(invoice(line(HINDI[2]))) == needed | {b"NotoSansDevanagari"}


def test_hindi_letters_are_joined_in_addresses_and_on_each_page_of_the_table():
    """A glyph that stands for several letters is what they look like when joined."""
    lines = [line("पत्र"), *[line(f"Item {number}") for number in range(50)], line("ज्ञान")]
    data = invoice(*lines, buyer=replace(BUYER, address=("क्षमा",)))

    pages: Any = PdfReader(io.BytesIO(render_invoice(data))).pages
    glyphs = [font["/ToUnicode"].get_data() for page in pages for font in page["/Resources"]["/Font"].values()]

    for letters in ("त्र", "ज्ञ", "क्ष"):
        assert letters.encode("utf-16-be").hex().upper().encode() in b"".join(glyphs)


def test_what_is_drawn_unshaped_has_a_glyph_for_each_letter():
    plain = {code for code in range(0x10000) if PLAIN.fullmatch(chr(code))}

    for weight in ("Regular", "Bold"):
        assert plain <= set(TTFont(FONTS / f"NotoSans-{weight}.ttf").getBestCmap())


@pytest.mark.parametrize("weight", ["Regular", "Bold"])
def test_the_fonts_have_the_signs_that_are_needed(weight: str):
    latin, hindi = (TTFont(FONTS / f"{name}-{weight}.ttf") for name in ("NotoSans", "NotoSansDevanagari"))

    assert set(map(ord, "₹·ĀāīūABCabc0123456789“”")) <= set(latin.getBestCmap())
    assert {ord(sign) for text in HINDI for sign in text if ord(sign) > 0x900} <= set(hindi.getBestCmap())


@pytest.mark.parametrize(("text", "glyphs"), [("क्ष", 1), ("त्र", 1), ("श्री", 2), ("प्रि", 2), ("र्मा", 3)])
def test_the_cut_fonts_still_join_hindi_letters(text: str, glyphs: int):
    font = hb.Font(hb.Face(hb.Blob.from_file_path(FONTS / "NotoSansDevanagari-Regular.ttf")))
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()

    hb.shape(font, buffer)

    assert len(buffer.glyph_infos) <= glyphs < len(text)
    assert all(info.codepoint for info in buffer.glyph_infos)


def test_the_same_data_give_the_same_bytes():
    assert render_invoice(invoice()) == render_invoice(invoice())


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=120), st.text(max_size=250))
def test_no_name_or_address_stops_the_drawing(name: str, address: str):
    assert render_invoice(invoice(buyer=Party(name, (address,), "Karnataka"))).startswith(b"%PDF-")
