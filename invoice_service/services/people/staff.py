"""Who may work for a merchant or the bureau: inviting, letting in again, roles, leaving.

Nobody is given a password by somebody else: an invitation is a link that is used once, within its
time, and by it a person sets one. A forgotten password is a new invitation.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from chain.errors import MalformedError, NotFoundError, RefusedError
from invoice_service.domain.acts import By
from invoice_service.services.people import passwords
from invoice_service.services.people.person import (
    HANDLE_BYTES,
    MERCHANTS,
    PERSON_ROLES,
    NewPerson,
    PeopleStore,
    Person,
    PersonRole,
    Whose,
    check_person_name,
    make_login,
)
from invoice_service.services.people.sessions import Visit, new_token, token_digest
from invoice_service.services.people.trail import ActStore, given_reason, refusals_recorded

INVITES: Final[dict[str, frozenset[str]]] = {
    "owner": frozenset({"owner", "cashier"}),
    "administrator": frozenset(PERSON_ROLES),
}
"""Whom each role may invite, change and remove: within its own merchant, the bureau everywhere."""


class Invited(NamedTuple):
    """A person, and the text of the invitation, which is shown now and kept nowhere."""

    person: Person
    token: str


class StaffStore(PeopleStore, ActStore, Protocol):
    """What changing people needs of a store."""


class Staff:
    """The people of merchants and of the bureau."""

    def __init__(
        self, store: StaffStore, randbytes: Callable[[int], bytes], invitation_seconds: int
    ) -> None:
        self.store = store
        self._randbytes = randbytes
        self._seconds = invitation_seconds

    def invite(self, whose: Whose, role: PersonRole, name: str, local: str, by: By) -> Invited:
        """Invite somebody new.

        MalformedError ``login_invalid``, ``role_of_another``, and those of
        ``check_person_name``; ConflictError ``login_taken``.
        """
        name, login = check_person_name(name), make_login(local, whose)
        _check_role(role, whose)
        token = new_token(self._randbytes)
        new = NewPerson(
            handle=self._randbytes(HANDLE_BYTES),
            login=login,
            name=name,
            role=role,
            merchant_id=whose.merchant_id,
        )
        with refusals_recorded(self.store, by, "person", _subject(whose)):
            person = self.store.add_person(new, token_digest(token), by.at + self._seconds, by)
        return Invited(person, token)

    def invite_again(self, person: Person, by: By) -> Invited:
        """Void all that lets somebody in, and invite anew: the password was forgotten, or known.

        RefusedError ``person_removed``.
        """
        token = new_token(self._randbytes)
        with refusals_recorded(self.store, by, "invitation", f"person:{person.id}"):
            if person.state == "removed":
                raise _removed()
            self.store.invite_again(person.id, token_digest(token), by.at + self._seconds, by)
        return Invited(person, token)

    def invited(self, token: str, now: int) -> Person:
        """Whose invitation this is.

        NotFoundError ``invitation_unknown``, the same for one that was used, void or is too old.
        """
        person = self.store.invitation(token_digest(token), now)
        if person is None:
            raise _no_invitation()
        return person

    def accept(self, token: str, password: str, visit: Visit, now: int) -> Person:
        """Use an invitation up, and set the password.

        MalformedError ``password_weak``; NotFoundError ``invitation_unknown``.
        """
        person = self.invited(token, now)
        passwords.check_password(password, person.name, person.login, person.login.split("@")[0])
        kept = passwords.make_hash(password)
        accepted = self.store.accept(token_digest(token), kept, now, visit.origin)
        if accepted is None:
            raise _no_invitation()
        return accepted

    def change_role(self, person: Person, role: PersonRole, by: By, reason: str = "") -> None:
        """Another role of the same merchant; MalformedError ``role_of_another``, and as
        ``given_reason``.
        """
        reason = given_reason(reason)
        _check_role(role, Whose(person.merchant_id))
        if role != person.role:
            self.store.set_role(person.id, role, by, reason)

    def suspend(self, person: Person, by: By, reason: str = "") -> None:
        """Sign somebody of the bureau out everywhere at once, and let them in no more.

        Their keys are refused as well. One administrator is enough; ConflictError
        ``last_administrator``; RefusedError ``person_removed``; MalformedError as
        ``given_reason``.
        """
        self._suspend(person, by.at, by, given_reason(reason))

    def reinstate(self, person: Person, by: By, reason: str = "") -> None:
        """Let somebody in again who was suspended; as ``suspend``."""
        self._suspend(person, None, by, given_reason(reason))

    def _suspend(self, person: Person, since: int | None, by: By, reason: str) -> None:
        with refusals_recorded(self.store, by, "role", f"person:{person.id}"):
            if person.state == "removed":
                raise _removed()
            self.store.suspend_person(person.id, since, by, reason)

    def remove(self, person: Person, by: By, reason: str = "") -> None:
        """End all that lets somebody in, for ever; ConflictError ``last_administrator``.

        MalformedError as ``given_reason``.
        """
        reason = given_reason(reason)
        with refusals_recorded(self.store, by, "person", f"person:{person.id}"):
            self.store.remove_person(person.id, by, reason)

    def of(self, whose: Whose, person_id: int) -> Person:
        """A person of that merchant, or of the bureau.

        NotFoundError ``person_unknown``, the same for somebody of another.
        """
        person = self.store.person(person_id)
        if person is None or person.merchant_id != whose.merchant_id:
            raise NotFoundError("person_unknown", "there is no such person")
        return person

    def change_password(self, person: Person, password: str, visit: Visit, now: int) -> None:
        """Another password of one's own; MalformedError ``password_weak``.

        RefusedError ``sign_in_refused`` where it is another by now than was shown.
        """
        passwords.check_password(password, person.name, person.login, person.login.split("@")[0])
        self.store.set_password(person, passwords.make_hash(password), visit.by(person.id, now))

    def change_pin(self, person: Person, pin: str, visit: Visit, now: int) -> None:
        """Another PIN of one's own, "" for none; MalformedError ``pin_invalid``, and as above."""
        kept = passwords.make_hash(passwords.check_pin(pin)) if pin else None
        self.store.set_pin(person, kept, visit.by(person.id, now))


def may_manage(actor: Person, role: str) -> bool:
    """Whether ``actor`` may invite, change and remove people of this role."""
    return role in INVITES.get(actor.role, frozenset())


def _check_role(role: PersonRole, whose: Whose) -> None:
    if (role in MERCHANTS) != (whose.merchant_id is not None):
        raise MalformedError("role_of_another", "this role is not one of theirs")


def _subject(whose: Whose) -> str:
    return "bureau" if whose.merchant_id is None else f"merchant:{whose.merchant_id}"


def _removed() -> RefusedError:
    return RefusedError("person_removed", "this person was removed; invite anew")


def _no_invitation() -> NotFoundError:
    return NotFoundError("invitation_unknown", "this invitation was used, or its time is over")
