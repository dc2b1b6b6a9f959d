"""How what we send to other systems is signed, so that they can tell that it is ours and new.

`t=<Unix seconds>,v1=<hex>`: HMAC-SHA256 under the shared secret over `<t>.<body>`. The receiver computes the same over
the raw body, compares in constant time, and refuses a `t` that is more than five minutes away.
"""

import hashlib
import hmac

HEADER = "X-BharatMart-Signature"


def sign(secret: str, body: bytes, at: int) -> str:
    """The value of the header for this body at this second."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={digest.hexdigest()}"
