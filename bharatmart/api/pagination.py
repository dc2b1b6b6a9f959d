"""Pages `{"results": [...], "next": url or null}` by keyset: no counts, no offsets, fast at any depth."""

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError as BadValue
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module

Rows = QuerySet[Any]


class KeysetPagination(BasePagination):
    """Follows the queryset's own order (fields or annotations without NULLs, "-" for descending), then pk.

    `?limit=` rows (at most `max_limit`) after `?cursor=`. Without an order the newest come first.
    """

    limit = 50
    max_limit = 200

    def paginate_queryset(  # type: ignore[override]
        self, queryset: Rows, request: Request, view: "APIView | None" = None
    ) -> list[Any]:
        self.request, self.next = request, None
        ordering = _ordering_of(queryset)
        limit = self._limit(request)
        rows = queryset.order_by(*ordering)
        if cursor := request.query_params.get("cursor"):
            rows = rows.filter(_after(rows, ordering, _decode(rows, ordering, cursor)))
        page = list(rows[: limit + 1])
        if len(page) > limit:
            self.next = _encode(rows, ordering, page[limit - 1])
        return page[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        url = replace_query_param(self.request.build_absolute_uri(), "cursor", self.next) if self.next else None
        return Response({"results": data, "next": url})

    def _limit(self, request: Request) -> int:
        text = request.query_params.get("limit", str(self.limit))
        if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= self.max_limit):
            raise ValidationError({"limit": [f"Expected a whole number from 1 to {self.max_limit}."]})
        return int(text)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        next_url = {"type": "string", "format": "uri", "nullable": True, "description": "The next page, if any."}
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {"results": schema, "next": next_url},
        }

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": self.max_limit, "default": self.limit}
        return [
            {"name": "limit", "in": "query", "required": False, "schema": limit},
            {"name": "cursor", "in": "query", "required": False, "schema": {"type": "string"}},
        ]


def _ordering_of(rows: Rows) -> list[str]:
    """The names to sort by, ending with the primary key, which makes every position unique."""
    names: list[str] = []
    for name in rows.query.order_by or rows.query.get_meta().ordering or ():
        if not isinstance(name, str):
            raise TypeError(f"KeysetPagination sorts by names of fields or annotations, not by {name!r}")
        names.append(name)
    unique = {"pk", rows.query.get_meta().pk.name}
    return names if any(name.lstrip("-") in unique for name in names) else [*names, "-pk"]


def _after(rows: Rows, ordering: list[str], values: list[Any]) -> Q:
    """Rows behind `values`; the first condition alone lets an index jump to the place."""
    condition, equal = Q(), Q()
    for name, value in zip(ordering, values, strict=True):
        field, beyond = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        condition |= equal & Q(**{f"{field}__{beyond}": value})
        equal &= Q(**{field: value})
    first, bound = ordering[0], "lte" if ordering[0].startswith("-") else "gte"
    return Q(**{f"{first.lstrip('-')}__{bound}": values[0]}) & condition


def _encode(rows: Rows, ordering: list[str], row: Model) -> str:
    values = [str(getattr(row, name.lstrip("-"))) for name in ordering]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _decode(rows: Rows, ordering: list[str], cursor: str) -> list[Any]:
    """The values of a cursor; a ValidationError for one that we have not made, or for another order."""
    try:
        texts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not (isinstance(texts, list) and all(isinstance(text, str) and "\0" not in text for text in texts)):
            raise ValueError(cursor)
        return [_field(rows, name).to_python(text) for name, text in zip(ordering, texts, strict=True)]
    except (ValueError, BadValue, binascii.Error, UnicodeError, RecursionError):
        raise ValidationError({"cursor": ["This cursor does not belong to this list."]}) from None


def _field(rows: Rows, name: str) -> Any:
    """The field behind a name; it knows how to read its own values back."""
    name, meta = name.lstrip("-"), rows.query.get_meta()
    if name in rows.query.annotations:
        return rows.query.annotations[name].output_field
    return meta.pk if name == "pk" else meta.get_field(name)
