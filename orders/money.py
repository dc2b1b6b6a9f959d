"""Money as integer paise: how it is written, and how GST is taken out of a price that includes it. Never floats."""

from collections.abc import Sequence
from dataclasses import dataclass

ONES = (
    *("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve"),
    *("Thirteen", "Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen", "Nineteen"),
)
TENS = ("", "", "Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety")
SCALES = ((10_000_000, "Crore"), (100_000, "Lakh"), (1_000, "Thousand"), (100, "Hundred"))


def format_rupees(amount_paise: int) -> str:
    """12345600 -> "₹1,23,456.00"; a negative amount has its sign in front of the ₹."""
    rupees, paise = divmod(abs(amount_paise), 100)
    return f"{'-' if amount_paise < 0 else ''}₹{group_digits(rupees)}.{paise:02d}"


def format_amount(amount_paise: int) -> str:
    """Like `format_rupees`, without the ₹: for the columns of a table."""
    return format_rupees(amount_paise).replace("₹", "")


def group_digits(number: int) -> str:
    """Group the digits of a whole number >= 0 the Indian way: the last three, then by two (1,23,45,678)."""
    digits = f"{number:d}"
    head, groups = digits[:-3], [digits[-3:]]
    while head:
        head, pair = head[:-2], head[-2:]
        groups.insert(0, pair)
    return ",".join(groups)


def rupees_in_words(amount_paise: int) -> str:
    """12345650 -> "Rupees One Lakh Twenty Three Thousand Four Hundred Fifty Six and Fifty Paise Only"; >= 0."""
    rupees, paise = divmod(amount_paise, 100)
    return f"Rupees {_in_words(rupees)}{f' and {_in_words(paise)} Paise' if paise else ''} Only"


def _in_words(number: int) -> str:
    for size, name in SCALES:
        if number >= size:
            head, rest = divmod(number, size)
            return f"{_in_words(head)} {name}" + (f" {_in_words(rest)}" if rest else "")
    if number >= 20:
        tens, rest = divmod(number, 10)
        return TENS[tens] + (f" {ONES[rest]}" if rest else "")
    return ONES[number]


@dataclass(frozen=True)
class Gst:
    """A GST-inclusive amount taken apart, in paise; the four always add up to it."""

    taxable_paise: int = 0
    cgst_paise: int = 0
    sgst_paise: int = 0
    igst_paise: int = 0

    @property
    def tax_paise(self) -> int:
        return self.cgst_paise + self.sgst_paise + self.igst_paise

    @property
    def total_paise(self) -> int:
        return self.taxable_paise + self.tax_paise

    def __add__(self, other: "Gst") -> "Gst":
        return Gst(
            self.taxable_paise + other.taxable_paise,
            self.cgst_paise + other.cgst_paise,
            self.sgst_paise + other.sgst_paise,
            self.igst_paise + other.igst_paise,
        )

    def __sub__(self, other: "Gst") -> "Gst":
        return self + Gst(-other.taxable_paise, -other.cgst_paise, -other.sgst_paise, -other.igst_paise)


def allot(amount_paise: int, shares: Sequence[int]) -> list[int]:
    """Divide an amount of at most their sum in proportion to `shares` >= 0: it adds up, and none gets above its own.

    What is left by rounding down goes, a paisa each, to those that were rounded down most.
    """
    whole = sum(shares)
    if not 0 <= amount_paise <= whole:
        raise ValueError(f"cannot divide {amount_paise} paise over {whole}")
    parts = [amount_paise * share // whole if whole else 0 for share in shares]
    cut = sorted(range(len(shares)), key=lambda n: -(amount_paise * shares[n] % whole) if whole else 0)
    for n in cut[: amount_paise - sum(parts)]:
        parts[n] += 1
    return parts


def split_gst(total_paise: int, rate: int, *, within_state: bool) -> Gst:
    """Take GST of `rate` percent out of `total_paise`, a whole line with GST included, >= 0.

    The tax is total x rate / (100 + rate), rounded half up to the paisa. Within the state it is two equal taxes of
    half the rate, each rounded so; between states one. What is left is the taxable value, so that nothing is lost:
    it differs by a paisa at most from total x 100 / (100 + rate).
    """
    if not within_state:
        igst = _divide_half_up(total_paise * rate, 100 + rate)
        return Gst(total_paise - igst, igst_paise=igst)
    half = _divide_half_up(total_paise * rate, 2 * (100 + rate))
    return Gst(total_paise - 2 * half, cgst_paise=half, sgst_paise=half)


def _divide_half_up(dividend: int, divisor: int) -> int:
    return (2 * dividend + divisor) // (2 * divisor)
