"""What the warehouse says lies on its shelves.

`GET {WAREHOUSE_URL}/stock`, with `Authorization: Bearer {WAREHOUSE_TOKEN}` if there is one, answers

    {"stock": [{"sku": "BASMATI-5KG", "on_hand": 12}, ...]}

`on_hand` counts what lies there and was not yet picked for an order. Another warehouse is another `count_stock`.
"""

from typing import Any

import requests
from django.conf import settings


class WarehouseError(Exception):
    """The warehouse gave no answer that can be used."""


def count_stock() -> dict[str, int]:
    """Pieces by SKU. Raises WarehouseError, or requests.RequestException when it cannot be reached."""
    url = settings.WAREHOUSE_URL.rstrip("/") + "/stock"
    token = settings.WAREHOUSE_TOKEN
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    answer = requests.get(url, headers=headers, timeout=settings.WAREHOUSE_TIMEOUT, allow_redirects=False)
    if answer.status_code != 200:
        raise WarehouseError(f"it answered {answer.status_code}")
    try:
        return dict(_counted(line) for line in answer.json()["stock"])
    except (ValueError, TypeError, KeyError) as error:
        raise WarehouseError(f"it did not answer with stock: {type(error).__name__} {error}") from error


def _counted(line: dict[str, Any]) -> tuple[str, int]:
    sku, on_hand = line["sku"], line["on_hand"]
    if type(sku) is not str or type(on_hand) is not int or not 0 <= on_hand <= 1_000_000_000:
        raise ValueError(f"{sku!r}: {on_hand!r}")
    return sku, on_hand
