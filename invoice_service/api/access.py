"""Who asks: the API key of the request under way, and what its role allows."""

from flask import request

from invoice_service.services.people.sign_in import (
    KeyReader,
    Principal,
    merchant_of,
    require_official,
    sign_in,
)

_SCHEME = "bearer "


class Access:
    """Signs in whoever sends ``Authorization: Bearer …``, at every request anew.

    Every method raises RefusedError as ``sign_in`` does, for a wrong key also where none is needed.
    """

    def __init__(self, keys: KeyReader) -> None:
        self._keys = keys

    def anyone(self) -> Principal | None:
        """Whoever asks; None without a key."""
        return None if _header() is None else self.known()

    def known(self) -> Principal:
        """Somebody with a key."""
        header = _header()
        if header is not None and header[: len(_SCHEME)].lower() == _SCHEME:
            header = header[len(_SCHEME) :].strip()
        return sign_in(self._keys, header)

    def merchant(self) -> tuple[Principal, int]:
        """A merchant, with its id; RefusedError ``role_required`` for officials."""
        principal = self.known()
        return principal, merchant_of(principal)

    def official(self) -> Principal:
        """An official; RefusedError ``role_required`` for merchants."""
        principal = self.known()
        require_official(principal)
        return principal


def _header() -> str | None:
    value: str | None = request.environ.get("HTTP_AUTHORIZATION")
    return value
