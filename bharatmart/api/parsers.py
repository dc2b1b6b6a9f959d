"""Read JSON from strangers: what we cannot store or walk through is refused here, with 400."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


def read_json(body: bytes) -> Any:
    """The value of a UTF-8 JSON text (RFC 8259). Raises ValueError with a sentence for the sender."""
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_constant)
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair cannot be stored
    except UnicodeError:
        raise ValueError("The body is not valid UTF-8.") from None
    except RecursionError:
        raise ValueError("The body is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"The body is not valid JSON: {error}.") from None
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"The body is not valid JSON: {name} is not a number.")


class JSONParser(BaseParser):
    """REST framework's door to `read_json`."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return read_json(stream.read())
        except ValueError as error:
            raise ParseError(str(error)) from None
