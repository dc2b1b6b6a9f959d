"""The gateways we speak to; each payment names its own."""

from collections.abc import Callable

from .base import Gateway
from .simulated import SimulatedGateway

GATEWAYS: dict[str, Callable[[], Gateway]] = {"simulated": SimulatedGateway}


def gateway_named(name: str) -> Gateway:
    """The gateway of that name; LookupError if there is none."""
    try:
        return GATEWAYS[name]()
    except KeyError:
        raise LookupError(f"no gateway is named {name!r}; known: {', '.join(sorted(GATEWAYS))}") from None
