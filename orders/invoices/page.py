"""A page and how text is set on it: fonts, shaping, paragraphs, tables. Lengths are in mm."""

import re
from pathlib import Path
from typing import Any, Literal

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace, TTFFont

FONTS = Path(__file__).resolve().parent.parent / "fonts"
INK, SOFT, ACCENT, TINT, RULE = (33, 37, 41), (108, 117, 125), (15, 76, 92), (238, 244, 245), (206, 212, 218)
WHITE = (255, 255, 255)
MARGIN, WIDTH = 14, 182
HALF = WIDTH / 2
PLAIN = re.compile(r"[ -z\u00a0-\u017f–—‘’“”•…₹]*")  # looks right unshaped; without braces, see multi_cell

FontStyle = Literal["", "B"]


class Page(FPDF):
    """A4 in Noto Sans, with Devanagari for what is written in Hindi; as many pages as it takes."""

    def __init__(self) -> None:
        super().__init__(format="A4")
        self.load_font("Noto", "NotoSans", "")
        self.load_font("Noto", "NotoSans", "B")
        self.set_margins(MARGIN, 14, MARGIN)
        self.set_auto_page_break(True, margin=20)

    def load_font(self, family: str, file: str, style: str) -> TTFFont:
        """Add a font so that cutting it down to the glyphs used, which fpdf2 does for each file, costs less.

        The layout tables would be parsed only to be dropped (shaping reads the font's file itself), and each glyph
        taken apart for a box around it that is known already.
        """
        self.add_font(family, style, FONTS / f"{file}-{'Bold' if style else 'Regular'}.ttf")
        font = self.fonts[family.lower() + style]
        assert isinstance(font, TTFFont)
        for table in ("GDEF", "GPOS", "GSUB"):
            del font.ttfont[table]
        font.ttfont.recalcBBoxes = False
        return font

    def get_fallback_font(self, char: str, style: str = "") -> str | None:
        """For a letter that Noto Sans lacks: Devanagari, loaded only now as even an unused font costs time."""
        key = f"devanagari{style}"
        font = self.fonts.get(key) or self.load_font("Devanagari", "NotoSansDevanagari", style)
        return key if isinstance(font, TTFFont) and ord(char) in font.cmap else None

    def draw_table(
        self, widths: tuple[int, ...], heads: tuple[str, ...], rows: list[tuple[str, ...]], align: str
    ) -> None:
        """Rows with a thin rule below; the head is repeated on each page. No first cell may be in Devanagari."""
        self.use_font("", 7.5, INK)
        self.set_draw_color(*RULE)
        with self.table(
            col_widths=widths,
            width=sum(widths),
            align="L",
            text_align=tuple({"L": "LEFT", "R": "RIGHT"}[side] for side in align),
            line_height=4.4,
            padding=(1.2, 1),
            borders_layout="HORIZONTAL_LINES",
            headings_style=FontFace(emphasis="BOLD", color=ACCENT, fill_color=TINT),
        ) as table:
            for cells in (heads, *rows):
                table.row(cells)

    def draw_band(self, x: float, width: float, height: float) -> None:
        with self.local_context(fill_color=ACCENT):
            self.rect(x, self.get_y(), width, height, style="F")

    def keep_together(self, height: float) -> None:
        if self.will_page_break(height):
            self.add_page()

    def write_text(
        self,
        text: str,
        size: float,
        color: tuple[int, int, int],
        style: FontStyle = "",
        *,
        x: float = 0,
        width: float = WIDTH,
        height: float,
        align: str = "L",
        stay: bool = False,
    ) -> None:
        """One paragraph, wrapped to `width`; `stay` leaves the cursor behind it instead of on the next line."""
        self.use_font(style, size, color)
        if x:
            self.set_x(x)
        after = (XPos.RIGHT, YPos.TOP) if stay else (XPos.LMARGIN, YPos.NEXT)
        self.multi_cell(width, height, text=text, align=align, new_x=after[0], new_y=after[1], padding=0)

    def multi_cell(self, *args: Any, **kwargs: Any) -> Any:
        """Shape only what needs it, in paragraphs and in cells of tables: shaping more than doubles the time.

        Text with {nb} counts as such; unshaped, fpdf2 would leave room for these letters instead of the number.
        """
        self.set_text_shaping(not PLAIN.fullmatch(kwargs["text"]))
        return super().multi_cell(*args, **kwargs)

    def use_font(self, style: FontStyle, size: float, color: tuple[int, int, int]) -> None:
        """Select the font and write it into the page at once.

        Left to itself fpdf2 loses it after a line that begins in a fallback font, and scrambles the lines that
        follow (https://github.com/py-pdf/fpdf2/issues/1772).
        """
        self.set_text_color(*color)
        self.set_font("Noto", style, size)
        if self.current_font and not self.current_font_is_set_on_page:
            self._out(self._set_font_for_page(self.current_font, self.font_size_pt))
