"""What makes an order suspicious, as data (`SUSPICIOUS_PATTERNS`); `orders/services/suspicion.py` does the counting."""

from typing import Any

from marshmallow import ValidationError

KINDS = ("declines", "orders", "mismatches")
PATTERNS = [
    {"pattern": "declines", "at_least": 5, "within": 3600},
    {"pattern": "orders", "at_least": 10, "within": 3600},
    {"pattern": "mismatches", "at_least": 1, "within": 86_400},
]
"""So many of a customer's declines, orders or amounts that differ within so many seconds."""


def are_patterns(patterns: Any) -> None:
    """Raises ValidationError with a sentence about the first that is none."""
    if not isinstance(patterns, list):
        raise ValidationError(f"expected a JSON list of patterns; got {type(patterns).__name__}.")
    for pattern in patterns:
        if not _is_pattern(pattern):
            raise ValidationError(
                'expected patterns such as {"pattern": "declines", "at_least": 5, "within": 3600}, of '
                f"{', '.join(KINDS)} and whole numbers above 0; got {pattern!r}."
            )


def _is_pattern(pattern: Any) -> bool:
    if not isinstance(pattern, dict) or set(pattern) != {"pattern", "at_least", "within"}:
        return False
    numbers = (pattern["at_least"], pattern["within"])
    return pattern["pattern"] in KINDS and all(type(number) is int and number > 0 for number in numbers)
