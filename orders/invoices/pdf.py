"""How a tax invoice looks."""

from ..money import Gst, format_amount, format_rupees, rupees_in_words
from .data import InvoiceData, InvoiceLine, Party
from .page import ACCENT, HALF, INK, MARGIN, RULE, SOFT, WHITE, WIDTH, Page


def render_invoice(data: InvoiceData) -> bytes:
    """Draw the invoice as a PDF. The same data give the same bytes; needs no database."""
    return draw(InvoicePage(data))


def draw(page: "InvoicePage") -> bytes:
    """All of it, as a file."""
    page.add_page()
    page.draw_heading()
    page.draw_parties()
    page.draw_lines()
    page.draw_totals()
    page.draw_tax_summary()
    page.draw_notes()
    return bytes(page.output())


class InvoicePage(Page):
    """The drawing; every method goes on below the one before. Lengths are in mm."""

    NAME = "Tax invoice"
    NOTES: tuple[str, ...] = (
        "All amounts are in Indian rupees (₹). Prices include GST.",
        "This is a computer-generated invoice and needs no signature.",
    )
    GREETING = "धन्यवाद · Thank you for shopping with us!"

    def __init__(self, data: InvoiceData) -> None:
        super().__init__()
        self.data = data
        self.set_creation_date(data.issued_at)
        self.set_title(f"{self.NAME} {data.number}")
        self.set_author(data.seller.name)
        self.set_lang("en-IN")

    def footer(self) -> None:
        self.set_y(-15)
        self.set_draw_color(*RULE)
        self.line(MARGIN, self.get_y(), MARGIN + WIDTH, self.get_y())
        self.write_text(f"{self.data.seller.name} · {self.data.number}", 7.5, SOFT, width=HALF, height=8, stay=True)
        self.write_text(f"Page {self.page_no()} of {{nb}}", 7.5, SOFT, x=MARGIN + WIDTH - 20, width=20, height=8)

    def draw_heading(self) -> None:
        seller, top = self.data.seller, self.get_y()
        self.write_text(seller.name, 22, ACCENT, "B", height=10)
        for text in (*seller.address, f"GSTIN {seller.gstin}", f"State {seller.state_with_code}"):
            self.write_text(text, 8.5, SOFT, width=HALF + 10, height=4.4)
        bottom = self.get_y()
        self.set_xy(MARGIN + HALF, top)
        self.write_text(self.NAME.upper(), 16, INK, "B", width=HALF, height=10, align="R")
        self.write_text("Original for recipient", 8.5, SOFT, x=MARGIN + HALF, width=HALF, height=4.4, align="R")
        self.set_y(max(bottom, self.get_y()) + 3)
        self.draw_band(MARGIN, WIDTH, 0.8)
        self.ln(5)

    def draw_parties(self) -> None:
        """The buyer on the left, the facts of the invoice on the right."""
        data, top = self.data, self.get_y()
        self.draw_buyer(data.buyer)
        bottom = self.get_y()
        self.set_y(top)
        for label, value in self.facts():
            self.write_text(label, 8.5, SOFT, x=MARGIN + HALF + 8, width=32, height=5, stay=True)
            self.write_text(value, 8.5, INK, "B", width=HALF - 40, height=5, align="R")
        self.set_y(max(bottom, self.get_y()) + 5)

    def draw_buyer(self, buyer: Party) -> None:
        self.write_text("BILLED AND SHIPPED TO", 7.5, SOFT, "B", width=HALF, height=5)
        self.write_text(buyer.name, 10.5, INK, "B", width=HALF, height=5.4)
        for text in (*buyer.address, buyer.state_with_code, f"Phone {buyer.phone}"):
            self.write_text(text, 9, INK, width=HALF, height=4.8)

    def facts(self) -> list[tuple[str, str]]:
        data = self.data
        paid = f"{data.paid_on:%d %b %Y}" if data.paid_on else "not yet"
        return [
            ("Invoice number", data.number),
            ("Invoice date", f"{data.issued_at:%d %b %Y}"),
            ("Order", f"{data.order_id} of {data.ordered_on:%d %b %Y}"),
            ("Paid on", paid),
            ("Place of supply", data.buyer.state_with_code),
            ("Reverse charge", "No"),
        ]

    def draw_lines(self) -> None:
        within, taxes = self.data.within_state, self.data.tax_names
        widths = (6, 43, 17, 9, 20, 21, 10, 17, 17, 22) if within else (6, 54, 17, 9, 21, 22, 10, 20, 23)
        self.draw_table(
            widths,
            ("#", "Item", "HSN", "Qty", "Price", "Taxable", "GST", *taxes, "Amount"),
            [self.row(number, line) for number, line in enumerate(self.data.lines, 1)],
            align="RLLRRRRRRR" if within else "RLLRRRRRR",
        )
        self.ln(3)

    def row(self, number: int, line: InvoiceLine) -> tuple[str, ...]:
        return (
            str(number),
            line.name,
            line.hsn,
            str(line.quantity),
            format_amount(line.unit_price_paise),
            format_amount(line.gst.taxable_paise),
            f"{line.gst_rate}%",
            *self.taxes(line.gst),
            format_amount(line.gst.total_paise),
        )

    def taxes(self, gst: Gst) -> list[str]:
        amounts = (gst.cgst_paise, gst.sgst_paise) if self.data.within_state else (gst.igst_paise,)
        return [format_amount(amount) for amount in amounts]

    def draw_totals(self) -> None:
        """The sums on the right and, kept on the same page, the total on a band of its own."""
        total = self.data.total
        sums = [("Taxable value", format_amount(total.taxable_paise))]
        sums += zip(self.data.tax_names, self.taxes(total), strict=True)
        self.keep_together(5.5 * len(sums) + 22)
        for label, value in sums:
            self.write_text(label, 9, SOFT, x=MARGIN + WIDTH - 72, width=32, height=5.5, stay=True)
            self.write_text(value, 9, INK, width=40, height=5.5, align="R")
        self.ln(1)
        self.draw_band(MARGIN + WIDTH - 76, 76, 9)
        self.write_text("Total", 11, WHITE, "B", x=MARGIN + WIDTH - 72, width=24, height=9, stay=True)
        self.write_text(format_rupees(total.total_paise), 11, WHITE, "B", width=46, height=9, align="R")
        self.ln(2)
        self.write_text(rupees_in_words(total.total_paise), 9, INK, "B", width=WIDTH, height=5, align="R")
        self.ln(4)

    def draw_tax_summary(self) -> None:
        kinds = self.data.by_hsn()
        widths = (30, 22, 34, 32, 32, 32) if self.data.within_state else (36, 26, 40, 40, 40)
        self.keep_together(6 * min(len(kinds), 10) + 18)
        self.write_text("TAX SUMMARY BY HSN", 7.5, SOFT, "B", height=6)
        self.draw_table(
            widths,
            ("HSN", "GST rate", "Taxable value", *self.data.tax_names, "Total tax"),
            [
                (hsn, f"{rate}%", format_amount(gst.taxable_paise), *self.taxes(gst), format_amount(gst.tax_paise))
                for (hsn, rate), gst in kinds.items()
            ],
            align="L" + "R" * (len(widths) - 1),
        )
        self.ln(6)

    def draw_notes(self) -> None:
        self.keep_together(16)
        for text in self.NOTES:
            self.write_text(text, 8, SOFT, width=WIDTH, height=4.4)
        self.write_text(self.GREETING, 9, ACCENT, "B", width=WIDTH, height=7)
