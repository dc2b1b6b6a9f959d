"""System checks of the shop's own settings."""

import difflib
import re
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from .places import STATE_CODES

GSTIN = re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]")
EXAMPLE_GSTIN = "29AABCB1234M1Z5"
CAPTURE_WINDOW = timedelta(days=5)
"""How long uncaptured money stays at Razorpay, which gives it back soonest."""


@register()
def check_shop_state(**kwargs: Any) -> list[CheckMessage]:
    """SHOP_STATE decides between CGST + SGST and IGST, so a misspelt one would make wrong invoices."""
    state = settings.SHOP_STATE
    if state in STATE_CODES:
        return []
    near = difflib.get_close_matches(state, STATE_CODES, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else "Expected a state or union territory, such as 'Karnataka'."
    return [Error(f"SHOP_STATE: {state!r} is not a state of India.", hint=hint, id="orders.E001")]


@register()
def check_gstin(**kwargs: Any) -> list[CheckMessage]:
    """Every invoice bears it, and it begins with the code of the shop's state."""
    gstin, code = settings.SHOP_GSTIN, STATE_CODES.get(settings.SHOP_STATE)
    if not GSTIN.fullmatch(gstin):
        hint = f"Expected 15 characters such as {EXAMPLE_GSTIN!r}."
        return [Error(f"SHOP_GSTIN: {gstin!r} is not a GSTIN.", hint=hint, id="orders.E002")]
    if code and not gstin.startswith(code):
        hint = f"A GSTIN of {settings.SHOP_STATE} begins with {code}."
        return [Error(f"SHOP_GSTIN: {gstin!r} belongs to another state than SHOP_STATE.", hint=hint, id="orders.E003")]
    return []


@register(Tags.security, deploy=True)
def check_gstin_is_the_shops(**kwargs: Any) -> list[CheckMessage]:
    """Invoices of a real shop with the example's number would be void."""
    if settings.SHOP_GSTIN != EXAMPLE_GSTIN:
        return []
    hint = "Set SHOP_GSTIN, SHOP_STATE, SHOP_ADDRESS and SHOP_NAME to the shop's own."
    return [Warning("SHOP_GSTIN is still that of the example.", hint=hint, id="orders.W001")]


@register()
def check_review_window(**kwargs: Any) -> list[CheckMessage]:
    """A review has to end while its money can still be captured, and staff to be warned before that."""
    window, alarm = settings.REVIEW_WINDOW, settings.REVIEW_ALARM
    if not timedelta() < window < CAPTURE_WINDOW:
        told = f"REVIEW_WINDOW: {window.total_seconds():.0f} s is not inside the capture window."
        hint = f"Expected less than {CAPTURE_WINDOW.total_seconds():.0f} s, after which Razorpay gives the money back."
        return [Error(told, hint=hint, id="orders.E004")]
    if not timedelta() < alarm < window:
        told = f"REVIEW_ALARM: {alarm.total_seconds():.0f} s before the deadline is no warning."
        return [
            Error(told, hint=f"Expected less than REVIEW_WINDOW ({window.total_seconds():.0f} s).", id="orders.E005")
        ]
    return []
