"""The `.env` file of a clone: development's variables, which never win over the environment's own."""

import os
from pathlib import Path

from dotenv import load_dotenv

BASE_DIR = Path(__file__).resolve().parent.parent


def read_dotenv() -> None:
    """Put what `.env` says into the environment, unless BHARATMART_DOTENV=0 (the tests set it)."""
    if os.environ.get("BHARATMART_DOTENV", "1") != "0":
        load_dotenv(BASE_DIR / ".env", override=False, interpolate=False)
