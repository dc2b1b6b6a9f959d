"""Which addresses a webhook may go to: those of the public Internet, and settings.WEBHOOK_NETWORKS."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

from ..errors import AddressRefused

Address = IPv4Address | IPv6Address

TUNNELS = [ip_network(net) for net in ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48", "::/96")]
"""IPv6 addresses that may lead to a private IPv4 one: 6to4, Teredo, NAT64, IPv4-compatible."""


def resolve(host: str, port: int) -> str:
    """An address of that host to connect to. Raises AddressRefused if any of its addresses is not allowed.

    The caller connects to this very address: asking again could give another answer (DNS rebinding).
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    refused = [address for address in addresses if not is_allowed(address)]
    if refused or not addresses:
        raise AddressRefused(f"{host} leads to {', '.join(refused) or 'nowhere'}")
    return addresses[0]


def is_allowed(text: str) -> bool:
    try:
        address: Address = ip_address(text)
    except ValueError:  # with a zone, such as fe80::1%eth0
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in ip_network(network) for network in settings.WEBHOOK_NETWORKS):
        return True
    return address.is_global and not address.is_multicast and not any(address in tunnel for tunnel in TUNNELS)
