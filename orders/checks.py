"""System checks of the shop's own settings."""

import difflib
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from .places import STATE_CODES


@register()
def check_shop_state(**kwargs: Any) -> list[CheckMessage]:
    """SHOP_STATE decides between CGST + SGST and IGST, so a misspelt one would make wrong invoices."""
    state = settings.SHOP_STATE
    if state in STATE_CODES:
        return []
    near = difflib.get_close_matches(state, STATE_CODES, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else "Expected a state or union territory, such as 'Karnataka'."
    return [Error(f"SHOP_STATE: {state!r} is not a state of India.", hint=hint, id="orders.E001")]
