"""People who sign in: their names, roles and secrets, and what a store keeps of them."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from chain.errors import MalformedError
from chain.hashing import Digest
from invoice_service.domain.acts import By
from invoice_service.domain.text import check_name
from invoice_service.services.people.roles import OFFICIALS, OfficialRole

PersonRole = Literal["owner", "cashier", OfficialRole]
"""Owners and cashiers belong to a merchant; the others are the bureau's."""

PERSON_ROLES: Final[tuple[PersonRole, ...]] = ("owner", "cashier", *OFFICIALS)

PersonState = Literal["invited", "active", "suspended", "removed"]

MERCHANTS: Final[frozenset[str]] = frozenset({"owner", "cashier"})
BUREAU: Final = "bureau"
"""What stands behind the ``@`` of the sign-in names of the bureau's people."""

LONGEST_NAME: Final = 40  # characters
HANDLE_BYTES: Final = 32

_LOCAL = re.compile(r"\w[\w.-]{0,31}")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in, once an invitation was accepted; times in unix seconds.

    ``password`` and ``pin`` are what argon2 makes of them; ``totp`` is sealed (``keys.people``),
    ``totp_step`` the last step of time whose code was used. ``handle`` is the person's name to
    passkeys, which say nothing else. ``subject`` is who this is to the provider of sign-ins
    (``oidc.subject_of``), for whom a password need not be there.
    """

    id: int
    handle: bytes
    login: str
    name: str
    role: PersonRole
    merchant_id: int | None
    password: str | None = None
    pin: str | None = None
    totp: bytes | None = None
    totp_step: int = 0
    created_at: int
    removed_at: int | None = None
    suspended_at: int | None = None
    subject: str | None = None

    @property
    def state(self) -> PersonState:
        """Whether this person can sign in."""
        if self.removed_at is not None:
            return "removed"
        if self.suspended_at is not None:
            return "suspended"
        return "invited" if self.password is None and self.subject is None else "active"


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to be invited."""

    handle: bytes
    login: str
    name: str
    role: PersonRole
    merchant_id: int | None


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link by which a person sets a password; of the link only the digest is kept."""

    digest: Digest
    person_id: int
    expires_at: int


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey of a person; ``count`` is what its device has counted, 0 where it does not."""

    id: int
    person_id: int
    credential: bytes
    public_key: bytes
    count: int
    label: str
    created_at: int
    used_at: int | None = None


class Whose(NamedTuple):
    """To whom somebody belongs: a merchant, or the bureau (None)."""

    merchant_id: int | None


class PeopleReader(Protocol):
    """Looking people up."""

    def person(self, person_id: int) -> Person | None:
        """One person."""
        ...

    def called(self, who: Iterable[str]) -> Mapping[str, str]:
        """Names of ``person:3``, ``key:7`` (whose it is) and ``merchant:1``, as far as known."""
        ...

    def person_by_login(self, login: str) -> Person | None:
        """The person with this sign-in name, as ``parse_login`` writes it."""
        ...

    def person_by_subject(self, subject: str) -> Person | None:
        """The person whom the provider of sign-ins calls so."""
        ...

    def people(self, merchant_id: int | None) -> list[Person]:
        """All people of a merchant, or of the bureau (None), removed ones too."""
        ...


class PeopleStore(PeopleReader, Protocol):
    """The people. Each change writes its act of the trail with it, or neither."""

    def add_person(self, new: NewPerson, invitation: Digest, expires_at: int, by: By) -> Person:
        """Keep somebody new, with an invitation; ConflictError ``login_taken``."""
        ...

    def provide(self, new: NewPerson, subject: str, by: By) -> Person:
        """Keep somebody whom the provider vouches for; ConflictError ``login_taken``."""
        ...

    def invite_again(self, person_id: int, invitation: Digest, expires_at: int, by: By) -> bool:
        """Void all that lets this person in, and give a new invitation; False for nobody."""
        ...

    def invitation(self, digest: Digest, now: int) -> Person | None:
        """Whose invitation this is; None for one that is unknown, used, void or too old."""
        ...

    def accept(self, digest: Digest, password: str, by_at: int, origin: str) -> Person | None:
        """Use an invitation up, once for all, and set the password; None as ``invitation``."""
        ...

    def set_password(self, person: Person, password: str, by: By) -> None:
        """Another password.

        What lets somebody in changes, here and below, for a ``person`` as they were when they
        showed who they are: RefusedError ``sign_in_refused`` where they may not sign in any more,
        or the password is another by now.
        """
        ...

    def set_pin(self, person: Person, pin: str | None, by: By) -> None:
        """Another PIN for the till, or none."""
        ...

    def set_role(self, person_id: int, role: PersonRole, by: By, reason: str = "") -> None:
        """Another role; who is signed in has to sign in again."""
        ...

    def suspend_person(self, person_id: int, since: int | None, by: By, reason: str = "") -> None:
        """Let this person in no more, nor their keys, until (None) they are let in again.

        ConflictError ``last_administrator``.
        """
        ...

    def remove_person(self, person_id: int, by: By, reason: str = "") -> None:
        """End all that lets this person in, for ever; ConflictError ``last_administrator``."""
        ...


class FactorStore(PeopleReader, Protocol):
    """What people show beside a password. Each change writes its act with it, or neither."""

    def set_totp(
        self, person: Person, sealed: bytes | None, step: int, codes: list[Digest], by: By
    ) -> None:
        """Another secret of one-time codes, with recovery codes; None for neither.

        As ``set_password`` for whom, here and below.
        """
        ...

    def use_step(self, person_id: int, step: int) -> bool:
        """Use up a step of time and those before it; False when it was already."""
        ...

    def set_recovery(self, person: Person, codes: list[Digest], by: By) -> None:
        """Other recovery codes."""
        ...

    def use_recovery(self, person_id: int, code: Digest, by: By) -> bool:
        """Use up a recovery code; False when there is none like it."""
        ...

    def recovery_left(self, person_id: int) -> int:
        """How many recovery codes are left."""
        ...

    def add_passkey(self, person: Person, key: "NewPasskey", by: By) -> Passkey | None:
        """Keep a passkey; None where its credential is known already."""
        ...

    def passkeys(self, person_id: int) -> list[Passkey]:
        """All of a person's."""
        ...

    def passkey(self, credential: bytes) -> Passkey | None:
        """The one with this credential."""
        ...

    def use_passkey(self, passkey_id: int, count: int, challenge: Digest, at: int) -> bool:
        """Note a use; False when the challenge was answered before, or the count went back."""
        ...

    def remove_passkey(self, person_id: int, passkey_id: int, by: By) -> bool:
        """Forget one of a person's; False when there is no such."""
        ...


class NewPasskey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey that a browser has just made."""

    credential: bytes
    public_key: bytes
    count: int
    label: str


def make_login(local: str, whose: Whose) -> str:
    """The sign-in name of somebody: what was chosen, ``@``, and whose person it is.

    Names are free to choose within a merchant: nobody learns who works elsewhere.
    MalformedError ``login_invalid``.
    """
    local = unicodedata.normalize("NFKC", local.strip()).casefold()
    if not _LOCAL.fullmatch(local):
        raise MalformedError(
            "login_invalid",
            "1 to 32 letters or digits, with . - _ between them",
            pointer="/login",
        )
    return f"{local}@{BUREAU if whose.merchant_id is None else whose.merchant_id}"


def parse_login(text: str) -> str:
    """A sign-in name as it is kept, from how a person types it; nothing is refused here."""
    return unicodedata.normalize("NFKC", text.strip()[:100]).casefold()


def check_person_name(name: str) -> str:
    """A person's name; MalformedError ``text_empty``, ``text_too_long``, ``control_character``."""
    name = name.strip()
    check_name(name, "/name")
    if len(name) > LONGEST_NAME:
        raise MalformedError(
            "text_too_long", f"a name has at most {LONGEST_NAME} characters", pointer="/name"
        )
    return name
