"""PostgreSQL and Valkey of our own, from wheels, for development, demo and tests. `python -m bharatmart.devservers`."""

from bharatmart.devservers.errors import DevServerError

__all__ = ["DevServerError", "ensure"]


def ensure(postgres: bool = True, valkey: bool = True) -> None:
    """Set DATABASE_URL and QUEUE_REDIS_URL, where unset, to running servers and hold these while this process lives.

    Children that are forked or exec'd hold them too; one that is started anew and calls this holds them for itself.
    Raises DevServerError.
    """
    from bharatmart.devservers.shared import share

    share(postgres, valkey)
