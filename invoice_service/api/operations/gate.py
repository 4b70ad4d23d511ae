"""Whom the state of the service concerns: this machine, or whoever holds the operations token."""

from ipaddress import IPv6Address, ip_address

from flask import request

from chain.errors import RefusedError
from chain.hashing import sha256

_SCHEME = "bearer "
_PASSED_ON = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


class Gate:
    """Tells who may see it; with a token, the token alone counts, also on this machine."""

    def __init__(self, token: str) -> None:
        self._token = sha256(token.encode()) if token else None

    def is_open(self) -> bool:
        """Whether the request under way may see more than whether we are ready."""
        if self._token is None:
            return _from_here()
        header = request.headers.get("Authorization", "")
        scheme, said = header[: len(_SCHEME)], header[len(_SCHEME) :].strip()
        # Digests, so that the time of comparing tells nothing of the token.
        return scheme.lower() == _SCHEME and sha256(said.encode()) == self._token

    def check(self) -> None:
        """RefusedError ``operations_only`` for everybody else."""
        if not self.is_open():
            raise RefusedError(
                "operations_only", "ask from this machine, or with the token of [operations]"
            )


def _from_here() -> bool:
    """Whether the request began on this machine: not one that a proxy on it passes on."""
    if any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        peer = ip_address(request.remote_addr or "")
    except ValueError:
        return False
    if isinstance(peer, IPv6Address) and peer.ipv4_mapped is not None:
        return peer.ipv4_mapped.is_loopback
    return peer.is_loopback
