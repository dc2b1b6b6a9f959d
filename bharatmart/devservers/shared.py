"""Take the servers of this clone into use: adopt or start them, hold them, tell the environment."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

from bharatmart.devservers.keeper import keeper_of
from bharatmart.devservers.place import Place
from bharatmart.devservers.postgres import Postgres
from bharatmart.devservers.server import Server
from bharatmart.devservers.valkey import Valkey

DATABASE_URL, QUEUE_REDIS_URL = "DATABASE_URL", "QUEUE_REDIS_URL"
MARK = "BHARATMART_DEVSERVERS"  # the URLs that were set here, so that a child process knows them from a person's own
PATIENCE = 2.0

_held: list[int] = []


def share(postgres: bool, valkey: bool) -> None:
    """The work of `bharatmart.devservers.ensure`."""
    kinds: list[tuple[str, type[Server]]] = []
    kinds += [(DATABASE_URL, Postgres)] if postgres and _is_for_us(DATABASE_URL) else []
    kinds += [(QUEUE_REDIS_URL, Valkey)] if valkey and _is_for_us(QUEUE_REDIS_URL) else []
    if kinds:
        place = Place.of()
        place.prepare()
        with tell_if_slow(f"Starting {' and '.join(kind.__name__ for _, kind in kinds)} in {place.root} ..."):
            take(place, kinds)


def take(place: Place, kinds: list[tuple[str, type[Server]]]) -> None:
    """Have these servers run, and hold all that run in this place."""
    with place.turn():
        if not _held:
            _held.append(place.hold())
        with keeper_of(place):
            urls = {variable: kind(place.root).ensure() for variable, kind in kinds}
    os.environ.update(urls)
    os.environ[MARK] = " ".join({*os.environ.get(MARK, "").split(), *urls.values()})


@contextlib.contextmanager
def tell_if_slow(sentence: str) -> Iterator[None]:
    """Print the sentence to stderr if the block takes longer than two seconds."""
    timer = threading.Timer(PATIENCE, print, [sentence], {"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _is_for_us(variable: str) -> bool:
    url = os.environ.get(variable, "")
    return not url or url in os.environ.get(MARK, "").split()
