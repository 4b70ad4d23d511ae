"""Who asks: the API key of the request under way, what its role allows, and who was refused."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from flask import current_app, request

from chain.errors import Problem, RefusedError
from invoice_service.api.peers import site_of
from invoice_service.api.problems import status_of
from invoice_service.domain.acts import UNKNOWN, By
from invoice_service.services.people.ports import Scope
from invoice_service.services.people.refusals import Door
from invoice_service.services.people.roles import Power
from invoice_service.services.people.sign_in import (
    KeyEndedError,
    KeyReader,
    Principal,
    merchant_of,
    require_official,
    sign_in,
)

SCHEME: Final = "bearer"
DOOR: Final = "fapiao.door"
"""Among the application's extensions: who counts the refusals."""
REFUSED: Final = (401, 403)
_KEY_ID: Final = "fapiao.key_id"
_PRINCIPAL: Final = "fapiao.principal"


class Access:
    """Signs in whoever sends ``Authorization: Bearer …``, once at every request.

    Every method raises RefusedError as ``sign_in`` does, for a wrong key also where none is needed,
    and ``authorization_scheme`` for anything but a bearer's key.
    """

    def __init__(self, keys: KeyReader, clock: Callable[[], datetime]) -> None:
        self._keys = keys
        self._clock = clock

    def anyone(self) -> Principal | None:
        """Whoever asks; None without a key."""
        return None if _header() is None else self.known()

    def known(self) -> Principal:
        """Somebody with a key."""
        principal: Principal | None = request.environ.get(_PRINCIPAL)
        if principal is None:
            principal = sign_in(self._keys, bearer(_header()), int(self._clock().timestamp()))
            request.environ[_PRINCIPAL] = principal
            request.environ[_KEY_ID] = principal.key_id
        return principal

    def merchant(self, scope: Scope) -> tuple[Principal, int]:
        """A merchant, with its id; RefusedError ``role_required``, ``scope_required``."""
        principal = self.known()
        return principal, merchant_of(principal, scope)

    def official(self, power: Power) -> Principal:
        """An official with that power; RefusedError ``role_required``, ``scope_required``."""
        principal = self.known()
        require_official(principal, power)
        return principal

    def by(self, principal: Principal, now: int) -> By:
        """Who acts, as the trail has it."""
        return By(f"key:{principal.key_id}", now, _peer())


def refused(problem: Problem, door: Door, now: int) -> None:
    """The request under way is answered 401 or 403: count it, by its key if that is known."""
    ended = problem.key_id if isinstance(problem, KeyEndedError) else None
    key_id: int | None = request.environ.get(_KEY_ID, ended)
    by = None if key_id is None else By(f"key:{key_id}", now, _peer())
    door.refuse(
        problem.code, by, site_of(_peer()) or UNKNOWN, f"{request.method} {request.url_rule}", now
    )


def record_refusals(
    principal: Principal, clock: Callable[[], datetime]
) -> Callable[[Problem], None]:
    """Counts the records of the list under way that are answered 401 or 403; lines have none.

    What it returns is called while the answer goes out, when the request is over for Flask.
    """
    door: Door = current_app.extensions[DOOR]
    who, origin = f"key:{principal.key_id}", site_of(_peer()) or UNKNOWN

    def count(problem: Problem) -> None:
        if status_of(problem) in REFUSED:
            door.count(problem.code, who, origin, int(clock().timestamp()))

    return count


def bearer(header: str | None) -> str | None:
    """What stands behind the scheme (RFC 9110, section 11.4: one word, then spaces).

    RefusedError ``authorization_scheme`` for another scheme.
    """
    if not header:
        return None
    scheme, _, text = header.strip(" ").partition(" ")
    if scheme.lower() != SCHEME or not text or "," in text:  # two headers come as one with a comma
        raise RefusedError("authorization_scheme", "write Authorization: Bearer fk_...")
    return text.lstrip(" ")


def _header() -> str | None:
    value: str | None = request.environ.get("HTTP_AUTHORIZATION")
    return value


def _peer() -> str:
    return request.remote_addr or ""
