"""Secrets as they lie in the database: encrypted under SECRET_KEY, readable under SECRET_KEY_FALLBACKS too.

Fernet (AES-128-CBC with HMAC-SHA256, https://cryptography.io/en/latest/fernet/), its keys made by HKDF.
"""

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from .errors import SecretUnreadable

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

PURPOSE = b"bharatmart: secrets of webhook endpoints"


def seal(secret: str) -> str:
    """The secret, encrypted under SECRET_KEY."""
    return _box(settings.SECRET_KEY).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret. Raises SecretUnreadable if none of the keys is the one that it was sealed with."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        secret = _opened(key, sealed)
        if secret is not None:
            return secret
    raise SecretUnreadable


def is_current(sealed: str) -> bool:
    """Whether it is sealed under SECRET_KEY itself."""
    return _opened(settings.SECRET_KEY, sealed) is not None


def _opened(key: str | None, sealed: str) -> str | None:
    """The secret, if this is the key that it was sealed with."""
    from cryptography.fernet import InvalidToken

    try:
        secret: str = _box(key).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None
    return secret


@lru_cache(maxsize=16)
def _box(key: str) -> "Fernet":
    """Few processes have to do with secrets: the others are spared the library's 6 MB."""
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(made))
