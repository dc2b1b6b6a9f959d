"""Which limits a request counts against; settings.API_LIMITS holds the rates."""

import ipaddress
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from . import limits

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module


class SharedThrottle(BaseThrottle):
    """Per user or, without log-in, per address; and per route where settings.API_LIMITS names one."""

    _wait: int | None = None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        hits = {f"{name} {self._caller(request)}": rate for name, rate in self._rates(request).items()}
        self._wait = limits.count(hits) if hits else None
        return self._wait is None

    def wait(self) -> int | None:
        return self._wait

    def _rates(self, request: Request) -> dict[str, limits.Rate]:
        match = request.resolver_match
        route = f"{request.method} /{match.route if match else ''}"
        names = ("user" if request.user.is_authenticated else "anonymous", route)
        rates = {name: limits.Rate.parse(settings.API_LIMITS.get(name, "off")) for name in names}
        return {name: rate for name, rate in rates.items() if rate is not None}

    def _caller(self, request: Request) -> str:
        if request.user.is_authenticated:
            return str(request.user.pk)
        return _network(self.get_ident(request) or "")


def _network(address: str) -> str:
    """One IPv6 customer has a whole /64, so that is what is counted."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:60]
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
