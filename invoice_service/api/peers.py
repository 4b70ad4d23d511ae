"""Who is at the other end of a request: an address that nobody could make up.

``REMOTE_ADDR`` is where the connection comes from. Only if that is a proxy of ours is
``X-Forwarded-For`` believed, and of that only what such a proxy has written: from the right, up
to the first address that is none of them. What stands further left, the client may have sent.
"""

import re
from collections.abc import Iterable, MutableMapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

Address = IPv4Address | IPv6Address

_PORT: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?", re.ASCII)
_SITE_BITS: Final = 64
"""Of an IPv6 address: whoever has one has all that begin with these."""


class Peers:
    """Finds the peer behind the proxies whose word is taken."""

    def __init__(self, trusted: Iterable[str]) -> None:
        """``trusted`` are addresses or networks."""
        self._networks = [ip_network(text) for text in trusted]

    def place(self, environ: MutableMapping[str, Any]) -> None:
        """Put the peer's address where everything looks for it: ``REMOTE_ADDR``."""
        if self._networks:
            forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
            environ["REMOTE_ADDR"] = self.behind(environ.get("REMOTE_ADDR", ""), forwarded)

    def behind(self, remote: str, forwarded: str) -> str:
        """The address of the peer; ``forwarded`` is the header's value."""
        peer = remote
        hops = forwarded.split(",")
        while self.trusts(peer) and hops and (hop := _address(hops.pop().strip())):
            peer = hop
        return peer

    def trusts(self, peer: str) -> bool:
        """Whether this is one of our proxies."""
        address = _parse(peer)
        return address is not None and any(address in network for network in self._networks)


@lru_cache(maxsize=4096)
def site_of(peer: str) -> str:
    """What counts as one caller: an IPv4 address, or the network that an IPv6 one is from."""
    address = _parse(peer)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address) >> _SITE_BITS << _SITE_BITS, _SITE_BITS)))
    return peer if address is None else str(address)


def _parse(text: str) -> Address | None:
    """The address; one of IPv4 that is written as one of IPv6 is what it is."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _address(hop: str) -> str:
    """A proxy's word for where a request came from, or "" if it is none; a port may follow."""
    with_port = _PORT.fullmatch(hop)
    address = _parse((with_port[1] or with_port[2]) if with_port else hop)
    return "" if address is None else str(address)
