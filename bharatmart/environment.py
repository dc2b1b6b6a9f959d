"""Reading variables: from the environment, and from the `.env` file of a clone, which never wins over it."""

import os
from pathlib import Path
from typing import cast

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv
from environs import Env, EnvValidationError

BASE_DIR = Path(__file__).resolve().parent.parent


def read_dotenv() -> None:
    """Put what `.env` says into the environment, unless BHARATMART_DOTENV=0 (the tests set it)."""
    if os.environ.get("BHARATMART_DOTENV", "1") != "0":
        load_dotenv(BASE_DIR / ".env", override=False, interpolate=False)


def mistakes_in(env: Env) -> list[str]:
    """What is wrong with the variables that were read, a sentence each."""
    try:
        env.seal()
    except EnvValidationError as error:
        told = cast("dict[str, list[str]]", error.error_messages)
        return [f"{name}: {' '.join(messages)}" for name, messages in told.items()]
    return []


def refuse_start_with(mistakes: list[str], *, debug: bool) -> None:
    """Raise one ImproperlyConfigured that names them all, if there are any."""
    if mistakes:
        hint = "" if debug else "\n(For development set DEBUG=1; .env.example shows every variable.)"
        raise ImproperlyConfigured("BharatMart cannot start:\n  " + "\n  ".join(sorted(mistakes)) + hint)
