"""What PostgreSQL can hold and gives back as it was."""

import json
import re

NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes it; jsonb cannot hold it


def is_json(value: object) -> bool:
    """Whether PostgreSQL will give the value back as it is now."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
        return json.loads(text) == value and not NUL.search(text)
    except (TypeError, ValueError):
        return False


def storable(text: str) -> str:
    """The text without what PostgreSQL refuses: NUL and halves of characters."""
    return text.replace("\x00", "\\x00").encode(errors="backslashreplace").decode()
