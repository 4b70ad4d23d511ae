"""Signing in with a name and a password, a second factor, or a passkey; and out again.

Whatever is wrong with a name and a password, the answer and the work for it are the same.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from chain.errors import ConflictError, MalformedError, RefusedError
from invoice_service.domain.acts import By
from invoice_service.services.people import passwords
from invoice_service.services.people.factors import Factors, Sealer
from invoice_service.services.people.oidc import Known
from invoice_service.services.people.passkeys import Passkeys
from invoice_service.services.people.person import (
    HANDLE_BYTES,
    LONGEST_NAME,
    NewPerson,
    PeopleStore,
    Person,
    PersonRole,
    Whose,
    check_person_name,
    make_login,
    parse_login,
)
from invoice_service.services.people.roles import OfficialRole
from invoice_service.services.people.sessions import Level, Sessions, Visit, Visitor
from invoice_service.services.people.tries import Bounds

MARK_SECONDS: Final = 180 * 86_400
"""How long a browser stays known after its last signing in."""

PROVIDER: Final = "provider"
"""Who acts, in the trail, where the provider of sign-ins gives or takes a role."""

_MARK: Final = struct.Struct(">QQ")


class SignedIn(NamedTuple):
    """A session's text for the cookie, and whether the second factor is still missing.

    By the provider of sign-ins: ``before`` is the role that the person had until now, None for
    somebody new; ``lesser`` whether the provider calls them an administrator and two here do not.
    """

    token: str
    person: Person
    level: Level
    before: PersonRole | None = None
    lesser: bool = False
    told: bool = False
    """Whether the person is to be told of it now: once, not at each sign-in."""


class Entrance:
    """The way in, and out."""

    def __init__(
        self,
        people: PeopleStore,
        sessions: Sessions,
        factors: Factors,
        passkeys: Passkeys,
        sealer: Sealer,
        bounds: Bounds,
        makes_none: Callable[[], bool] = lambda: False,
    ) -> None:
        """``makes_none``: whether the provider makes nobody an administrator, since two do."""
        self._people = people
        self.sessions = sessions
        self.factors = factors
        self.passkeys = passkeys
        self._sealer = sealer
        self._bounds = bounds
        self._makes_none = makes_none

    def by_password(
        self, login: str, password: str, visit: Visit, site: str, *, mark: str = "", old: str = ""
    ) -> SignedIn:
        """Sign in; ``half`` where there is a second factor. ``site`` is the visit's network.

        RefusedError ``sign_in_refused``, ``sign_in_limited``; UnavailableError ``too_busy``.
        """
        login = parse_login(login)
        marked = self._marked(mark)
        person = self._people.person_by_login(login)
        known = person is not None and person.id == marked
        self._bounds.enter(login, site, known=known)
        active = person is not None and person.state == "active"
        kept = person.password if person is not None and active else None
        if not passwords.matches(kept, password) or person is None or kept is None:
            raise RefusedError("sign_in_refused", "the sign-in name or the password is wrong")
        if passwords.is_outdated(kept):
            by = visit.by(person.id, self.sessions.clock())
            renewed = passwords.make_hash(password)
            self._people.set_password(person, renewed, by)
            person = msgspec.structs.replace(person, password=renewed)
        level: Level = "half" if self.has_second(person) else "full"
        return self._signed(person, level, visit, "password", old)

    def by_code(self, visitor: Visitor, text: str, visit: Visit, site: str, old: str) -> SignedIn:
        """Go on with a second factor after a password; always another session.

        RefusedError ``second_factor_refused``, ``sign_in_limited``.
        """
        person = visitor.person
        self._bounds.enter(f"code of {person.id}", site, known=False)
        how = self.factors.check(person, text, visit)
        return self._signed(person, "strong", visit, how, old)

    def by_passkey(
        self, asked: str, answer: str, visit: Visit, site: str, old: str = ""
    ) -> SignedIn:
        """Sign in with a passkey alone: it is two factors.

        RefusedError ``passkey_refused``, ``sign_in_limited``.
        """
        self._bounds.passkey(site)
        person = self.passkeys.check(asked, answer)
        return self._signed(person, "strong", visit, "passkey", old)

    def by_provider(self, known: Known, visit: Visit, old: str = "") -> SignedIn:
        """Sign in whom the provider vouches for, with the role that it gives now.

        Who is new here is kept, where the provider gives a role; who has none any more is signed
        out everywhere. Where two make administrators, whom the provider alone calls one comes in
        with a lesser role until they have, and stays one as long as the provider says so, too.
        RefusedError ``provider_no_role``, ``sign_in_refused`` for who was suspended
        or removed; ConflictError ``last_administrator``.
        """
        now = self.sessions.clock()
        by = By(PROVIDER, now, visit.origin)
        person = self._people.person_by_subject(known.subject)
        if known.role is None:
            if person is not None:
                self.sessions.store.end_sessions(person.id, by)
            raise RefusedError("provider_no_role", "the provider gives you no role here")
        role, before = known.role, None if person is None else person.role
        if role == "administrator" and (person is None or person.role != role):
            role = known.lesser if self._makes_none() else role
        if person is None:
            person = self._provided(known, role, by)
        if person.state != "active":
            raise RefusedError("sign_in_refused", "you are not let in any more")
        if person.role != role:
            try:
                self._people.set_role(person.id, role, by)
            except ConflictError:
                self.sessions.store.end_sessions(person.id, by)
                raise
            person = msgspec.structs.replace(person, role=role)
        lesser = role != known.role
        how = "oidc_lesser" if lesser else "oidc"
        signed = self._signed(person, "strong", visit, how, old)
        told = lesser if before is None else before != role
        return signed._replace(before=before, lesser=lesser, told=told)

    def _provided(self, known: Known, role: OfficialRole, by: By) -> Person:
        """Keep somebody new, under a name that is free."""
        plain = "".join(one if one.isalnum() else "." for one in known.login.partition("@")[0])
        local = plain.strip(".")[:24] or "official"
        name = plain_name(known.name)
        for count in range(1, 1000):
            login = make_login(local if count == 1 else f"{local}.{count}", Whose(None))
            new = NewPerson(
                handle=self.sessions.random(HANDLE_BYTES),
                login=login,
                name=name,
                role=role,
                merchant_id=None,
            )
            try:
                return self._people.provide(new, known.subject, by)
            except ConflictError as problem:
                if problem.code != "login_taken":
                    raise
        raise RefusedError("provider_refused", "there are too many people of this name")

    def take_over(self, visitor: Visitor, person_id: int | None, pin: str, visit: Visit) -> None:
        """Have another cashier work at this till by PIN, or (None) the one who signed in.

        The till stays signed in as who signed it in, and who has that one's rights; to take it
        back takes the PIN, too, or the password (never as short as a PIN). RefusedError
        ``pin_refused``, the same for nobody, somebody without a PIN, and somebody of another
        merchant; ``sign_in_limited``.
        """
        session, now = visitor.session, self.sessions.clock()
        if person_id is None or person_id == visitor.person.id:
            self._take_back(visitor, pin, visit)
            return
        self._bounds.pin(f"session {session.id}", person_id)
        person = self._people.person(person_id)
        ours = (
            person is not None
            and person.state == "active"
            and person.merchant_id is not None
            and person.merchant_id == visitor.person.merchant_id
        )
        kept = person.pin if person is not None and ours else None
        if not passwords.matches(kept, pin) or person is None:
            raise RefusedError("pin_refused", "the PIN is wrong")
        self.sessions.store.set_cashier(session.id, person.id, visit.by(person.id, now))

    def _take_back(self, visitor: Visitor, text: str, visit: Visit) -> None:
        session, person, now = visitor.session, visitor.person, self.sessions.clock()
        if visitor.working.id != person.id:
            self._bounds.pin(f"session {session.id}", person.id)
            kept = person.pin if passwords.is_as_a_pin(text) else person.password
            if not passwords.matches(kept, text):
                raise RefusedError("pin_refused", "the PIN or the password is wrong")
        self.sessions.store.set_cashier(session.id, None, visit.by(person.id, now))

    def confirm(self, person: Person, password: str, site: str) -> None:
        """Have a person who is signed in show the password again, before what matters.

        RefusedError ``sign_in_refused``, ``sign_in_limited``.
        """
        self._bounds.enter(f"again {person.id}", site, known=True)
        if not passwords.matches(person.password, password):
            raise RefusedError("sign_in_refused", "the password is wrong")

    def leave(self, visitor: Visitor, visit: Visit) -> None:
        """Sign out here."""
        by = visit.by(visitor.person.id, self.sessions.clock())
        self.sessions.store.end_session(visitor.session.id, visitor.person.id, by)

    def leave_everywhere(self, visitor: Visitor, visit: Visit) -> int:
        """Sign out everywhere; in how many places that was."""
        by = visit.by(visitor.person.id, self.sessions.clock())
        return self.sessions.store.end_sessions(visitor.person.id, by)

    def has_second(self, person: Person) -> bool:
        """Whether a person has a second factor."""
        return person.totp is not None or bool(self.factors.store.passkeys(person.id))

    def mark(self, person: Person) -> str:
        """What a browser keeps of having been a person's: it only widens the bound on tries."""
        plain = _MARK.pack(person.id, self.sessions.clock() + MARK_SECONDS)
        return urlsafe_b64encode(self._sealer.seal(plain, "mark")).decode()

    def _marked(self, mark: str) -> int | None:
        """Whose browser this was; None for no mark of ours, or one that is too old."""
        if not mark:
            return None
        try:
            sealed = urlsafe_b64decode(mark.encode("ascii", "replace"))
            person_id, end = _MARK.unpack(self._sealer.open(sealed, "mark"))
        except (MalformedError, NotBase64, ValueError, struct.error):
            return None
        return None if end <= self.sessions.clock() else int(person_id)

    def _signed(self, person: Person, level: Level, visit: Visit, how: str, old: str) -> SignedIn:
        return SignedIn(self.sessions.open(person, level, visit, how, old), person, level)


def plain_name(text: str) -> str:
    """A name as the provider has it, or a word for one that nobody may have."""
    try:
        return check_person_name(text[:LONGEST_NAME])
    except MalformedError:
        return "?"
