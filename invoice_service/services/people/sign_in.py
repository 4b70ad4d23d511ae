"""From an API key to who asks: the same work for every key, known or not."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from secrets import compare_digest
from typing import Protocol

import msgspec

from chain.errors import RefusedError
from chain.hashing import ZERO, Digest, sha256
from invoice_service.services.people.ports import UNLESS_SAID, ApiKey, Role, Scope
from invoice_service.services.people.roles import POWERS, OfficialRole, Power, has_power

SECRET_BYTES = 32

_KEY = re.compile(r"fk_[A-Za-z0-9_-]{43}", re.ASCII)


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks; ``merchant_id`` is None for an official, ``scopes`` where the key says none.

    ``office`` is an official's role by the key, None for an administrator; ``holder`` the role of
    ``person``, who holds it, where that is known: such a key does what both may.
    """

    role: Role
    merchant_id: int | None
    key_id: int
    scopes: tuple[Scope, ...] | None = None
    expires_at: int | None = None
    office: OfficialRole | None = None
    holder: OfficialRole | None = None
    person: int | None = None

    def may(self, scope: Scope) -> bool:
        """Whether the key is for that."""
        return scope in (UNLESS_SAID[self.role] if self.scopes is None else self.scopes)

    def has(self, power: Power) -> bool:
        """Whether this is an official with that power, by a key whose scopes are for it."""
        return self.is_official_for(power) and self.may(POWERS[power].scope)

    def is_official_for(self, power: Power) -> bool:
        """The same whatever the scopes of the key."""
        offices = (self.office or "administrator", self.holder or "administrator")
        return self.role == "official" and all(has_power(one, power) for one in offices)


class KeyEndedError(RefusedError):
    """The key was good once, so we know whose it was."""

    def __init__(self, key_id: int, code: str) -> None:
        super().__init__(code, _ENDED[code])
        self.key_id = key_id

    def __reduce__(self) -> tuple[type["KeyEndedError"], tuple[int, str]]:
        """Survive pickling: the arguments are not those that Exception keeps."""
        return KeyEndedError, (self.key_id, self.code)


_ENDED = {
    "key_revoked": "this API key has been revoked",
    "key_expired": "this API key was good until a moment that has passed",
    "key_suspended": "whoever holds this API key was suspended or removed",
}


class KeyReader(Protocol):
    """What signing in needs of a store."""

    def key(self, digest: Digest) -> ApiKey | None:
        """The key with this digest, revoked or not."""
        ...


def sign_in(keys: KeyReader, text: str | None, now: int) -> Principal:
    """The owner of the key ``text``.

    Raises RefusedError: ``key_missing``, ``key_malformed``, ``key_unknown``; KeyEndedError
    ``key_revoked``, ``key_expired``, ``key_suspended``.
    """
    if not text:
        raise RefusedError("key_missing", "send an API key as: Authorization: Bearer fk_...")
    # A malformed key is looked up like any other, so that the time says nothing of keys.
    digest = key_digest(text)
    key = keys.key(digest)
    known = compare_digest(ZERO if key is None else key.digest, digest)
    if not _KEY.fullmatch(text):
        raise RefusedError("key_malformed", "an API key is fk_ and 43 letters, digits, - or _")
    if key is None or not known:
        raise RefusedError("key_unknown", "this API key is not known")
    if key.revoked_at is not None:
        raise KeyEndedError(key.id, "key_revoked")
    expires_at = key.terms.expires_at
    if expires_at is not None and expires_at <= now:
        raise KeyEndedError(key.id, "key_expired")
    if key.holder == "":
        raise KeyEndedError(key.id, "key_suspended")
    return Principal(
        role=key.role,
        merchant_id=key.merchant_id,
        key_id=key.id,
        scopes=key.terms.scopes,
        expires_at=expires_at,
        office=key.terms.office,
        holder=key.holder or None,
        person=key.terms.person,
    )


def merchant_of(principal: Principal, scope: Scope) -> int:
    """The merchant who asks; RefusedError ``role_required`` for anybody else, and as ``scoped``."""
    if principal.role != "merchant" or principal.merchant_id is None:
        raise RefusedError("role_required", "only a merchant's key may do this")
    scoped(principal, scope)
    return principal.merchant_id


def require_official(principal: Principal, power: Power) -> None:
    """Refuse all but officials with that power.

    RefusedError ``role_required``, and as ``scoped``.
    """
    granted = POWERS[power]
    if principal.role != "official":
        raise RefusedError("role_required", "only an official's key may do this")
    if not principal.is_official_for(power):
        raise RefusedError("role_required", f"this is for {', '.join(granted.roles)}")
    scoped(principal, granted.scope)


def scoped(principal: Principal, scope: Scope) -> None:
    """Refuse a key that is not for that: RefusedError ``scope_required``."""
    if not principal.may(scope):
        raise RefusedError("scope_required", f"this takes a key with the scope {scope}")


def key_digest(text: str) -> Digest:
    """What is kept of a key; it has 256 random bits, so nothing slower is needed."""
    return sha256(text.encode("utf-8", "surrogatepass"))


def new_key(randbytes: Callable[[int], bytes]) -> str:
    """A fresh key's text; ``randbytes`` must be fit for secrets."""
    return f"fk_{urlsafe_b64encode(randbytes(SECRET_BYTES)).decode().rstrip('=')}"
