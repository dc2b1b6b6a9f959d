"""What QUEUE_REDIS_URL may be: one server, or a master that Sentinels know.

redis://user:password@host:6379/0, rediss://… (TLS), unix:///run/redis.sock?db=0,
sentinel://user:password@host:26379,host:26379/mymaster/0 (`?sentinel_password=` for the Sentinels' own)
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

SCHEMES = ("redis", "rediss", "unix", "sentinel")
EXPECTED = (
    "expected redis://host:port/db, rediss://… for TLS, unix:///path or sentinel://host:port,host:port/master-name/db"
)


@dataclass(frozen=True)
class SentinelAddress:
    """The name of a master, and the Sentinels that know its address."""

    sentinels: tuple[tuple[str, int], ...]
    master: str
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_password: str | None = field(default=None, repr=False)


def check(url: str) -> None:
    """Raise ValueError if this is not the address of a Redis. The message never shows the password."""
    scheme, separator, rest = url.partition("://")
    if scheme not in SCHEMES or not separator:
        raise ValueError(f"{EXPECTED}; got the scheme {scheme if separator else ''!r}.")
    if scheme == "sentinel":
        parse_sentinel(url)
    elif scheme == "unix":
        if not rest.partition("?")[0]:
            raise ValueError(f"{EXPECTED}; got no path.")
    else:
        place, _, db = rest.partition("?")[0].rpartition("@")[2].partition("/")
        _host_and_port(place, 6379)
        _db(db)


def is_sentinel(url: str) -> bool:
    return url.startswith("sentinel:")


def parse_sentinel(url: str) -> SentinelAddress:
    """The parts of a sentinel:// URL; ValueError for one that lacks some.

    Not parsed by urllib, which refuses several hosts if one is an IPv6 address.
    """
    address, _, query = url.partition("://")[2].partition("?")
    account, _, place = address.rpartition("@")
    username, _, password = account.partition(":")
    hosts, _, path = place.partition("/")
    master, _, db = path.partition("/")
    if not master:
        raise ValueError(f"{EXPECTED}; got no name of a master.")
    return SentinelAddress(
        sentinels=tuple(_host_and_port(host, 26379) for host in hosts.split(",")),
        master=unquote(master),
        db=_db(db),
        username=unquote(username) or None,
        password=unquote(password) or None,
        sentinel_password=parse_qs(query).get("sentinel_password", [None])[0],
    )


def _host_and_port(text: str, default: int) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+)(?::([0-9]{1,5}))?", text)
    if match is None or int(match[2] or default) not in range(1, 65_536):
        raise ValueError(f"{EXPECTED}; got {text!r} instead of host:port.")
    return match[1].strip("[]"), int(match[2] or default)


def _db(text: str) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError(f"{EXPECTED}; got {text!r} instead of the number of a database.")
    return int(text or 0)
