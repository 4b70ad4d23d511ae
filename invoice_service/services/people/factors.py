"""The second factor: one-time codes by time (RFC 6238, pyotp), and recovery codes on paper."""

import re
from base64 import b32encode
from collections.abc import Callable
from secrets import compare_digest
from typing import Final, NamedTuple, Protocol
from unicodedata import normalize

from pyotp import TOTP

from chain.errors import MalformedError, RefusedError
from chain.hashing import Digest, sha256
from invoice_service.services.people.person import FactorStore, Person
from invoice_service.services.people.sessions import Visit

SECRET_BYTES: Final = 20
STEP: Final = 30  # seconds
SLACK: Final = 1
"""Steps by which a person's clock may be wrong, in either direction."""

RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 15
_GROUPS: Final = 4
_LONGEST: Final = 100  # characters of a code that are looked at

_CODE = re.compile(r"[0-9]{6}", re.ASCII)
_SPACES = re.compile(r"[\s-]+")


class Sealer(Protocol):
    """Encrypts what a thief of the database must not have."""

    def seal(self, what: bytes, of: str) -> bytes:
        """``what``, for this purpose and person only."""
        ...

    def open(self, sealed: bytes, of: str) -> bytes:
        """What was sealed; MalformedError ``seal_invalid``, UnavailableError ``key_unreadable``."""
        ...


class Offer(NamedTuple):
    """A secret that a person may take: as text, and as an address for a QR code."""

    secret: str
    address: str


class Factors:
    """Second factors of people."""

    def __init__(
        self,
        store: FactorStore,
        sealer: Sealer,
        clock: Callable[[], int],
        randbytes: Callable[[int], bytes],
    ) -> None:
        self.store = store
        self._sealer = sealer
        self._clock = clock
        self._randbytes = randbytes

    def offer(self, person: Person, issuer: str, secret: str = "") -> Offer:
        """A fresh secret, or one again; nothing is kept before its first code was shown."""
        secret = secret or b32encode(self._randbytes(SECRET_BYTES)).decode()
        return Offer(secret, TOTP(secret).provisioning_uri(name=person.login, issuer_name=issuer))

    def enable(self, person: Person, secret: str, code: str, visit: Visit) -> list[str]:
        """Take the secret, once its code is right; the recovery codes, which are shown now only.

        RefusedError ``second_factor_refused``.
        """
        now = self._clock()
        plain = _plain(code)
        step = _step_of(secret, plain, now) if _CODE.fullmatch(plain) else None
        if step is None:
            raise _refused()
        sealed = self._sealer.seal(secret.encode(), _of(person))
        texts, digests = self._codes()
        self.store.set_totp(person, sealed, step, digests, visit.by(person.id, now))
        return texts

    def disable(self, person: Person, visit: Visit) -> None:
        """No one-time codes any more, nor recovery codes."""
        self.store.set_totp(person, None, 0, [], visit.by(person.id, self._clock()))

    def renew_recovery(self, person: Person, visit: Visit) -> list[str]:
        """Other recovery codes; those before count no more."""
        texts, digests = self._codes()
        self.store.set_recovery(person, digests, visit.by(person.id, self._clock()))
        return texts

    def check(self, person: Person, text: str, visit: Visit) -> str:
        """Which factor ``text`` is: ``totp`` or ``recovery``; each code counts once.

        RefusedError ``second_factor_refused``.
        """
        now, plain = self._clock(), _plain(text)
        if _CODE.fullmatch(plain):
            if self._check_totp(person, plain, now):
                return "totp"
        elif plain and self.store.use_recovery(
            person.id, recovery_digest(plain), visit.by(person.id, now)
        ):
            return "recovery"
        raise _refused()

    def _check_totp(self, person: Person, code: str, now: int) -> bool:
        if person.totp is None:
            return False
        secret = self._sealer.open(person.totp, _of(person)).decode()
        step = _step_of(secret, code, now)
        return step is not None and self.store.use_step(person.id, step)

    def _codes(self) -> tuple[list[str], list[Digest]]:
        texts = [self._new_code() for _ in range(RECOVERY_CODES)]
        return texts, [recovery_digest(_SPACES.sub("", text)) for text in texts]

    def _new_code(self) -> str:
        plain = b32encode(self._randbytes(RECOVERY_BYTES)).decode().lower()
        return "-".join(plain[at : at + _GROUPS] for at in range(0, len(plain), _GROUPS))


def recovery_digest(plain: str) -> Digest:
    """What is kept of a recovery code: it has 120 random bits (80 of those from before)."""
    return sha256(b"fapiao/v1/recovery\n" + plain.lower().encode("utf-8", "surrogatepass"))


def check_secret(secret: str) -> str:
    """A secret that came back from a form; MalformedError ``seal_invalid``."""
    if not re.fullmatch(r"[A-Z2-7]{32}", secret):
        raise MalformedError("seal_invalid", "this is no secret that we offered")
    return secret


def _plain(text: str) -> str:
    """A code as it was meant: apps show it in groups, Chinese keyboards write wide digits."""
    return _SPACES.sub("", normalize("NFKC", text[:_LONGEST]))


def _step_of(secret: str, code: str, now: int) -> int | None:
    """The step of time whose code this is; every step is compared, whichever it is."""
    totp = TOTP(secret, interval=STEP)
    found = None
    for step in range(now // STEP - SLACK, now // STEP + SLACK + 1):
        if compare_digest(totp.at(step * STEP), code):
            found = step
    return found


def _of(person: Person) -> str:
    return f"totp:{person.id}"


def _refused() -> RefusedError:
    return RefusedError("second_factor_refused", "this code is wrong, or was used before")
