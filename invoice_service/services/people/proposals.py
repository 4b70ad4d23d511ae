"""The gravest acts take two: one proposes, another confirms.

What is grave: giving an official a role, by invitation, by letting in anew or by change; taking
one's place away; revoking a merchant for good. From the second administrator on none of these is
done by one alone, unless the settings say so. Whoever works on the machine acts alone: that one
could change the settings, too.
"""

from collections.abc import Callable
from typing import Final, Literal, NamedTuple, Protocol, get_args

import msgspec

from chain.errors import ConflictError, MalformedError, NotFoundError, RefusedError
from chain.hashing import Digest
from invoice_service.domain.acts import By, Said
from invoice_service.services.people.person import (
    HANDLE_BYTES,
    NewPerson,
    PeopleReader,
    PersonRole,
    Whose,
    check_person_name,
    make_login,
)
from invoice_service.services.people.roles import OFFICIALS
from invoice_service.services.people.sessions import new_token, token_digest
from invoice_service.services.people.trail import ActStore, given_reason, refusals_recorded
from invoice_service.services.ports import Account

Grave = Literal["role", "invitation", "reinvitation", "removal", "revocation"]
GRAVE: Final[tuple[Grave, ...]] = get_args(Grave)
State = Literal["open", "confirmed", "withdrawn", "expired"]


class Actor(NamedTuple):
    """Who acts, and which person that is; None for a key that nobody is known to hold."""

    by: By
    person_id: int | None


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What one has proposed; times in unix seconds.

    ``said`` is what it comes to: ``role``; ``name`` and ``login`` of somebody new.
    """

    id: int
    kind: Grave
    subject: str
    said: Said
    reason: str
    actor: str
    person_id: int
    at: int
    expires_at: int
    state: State = "open"
    decided_by: str = ""
    decided_at: int | None = None

    def seen(self, now: int) -> State:
        """Its state at that time: nothing is written when its time is over."""
        return "expired" if self.state == "open" and self.expires_at <= now else self.state


class NewLink(NamedTuple):
    """An invitation that is made when somebody is let in; ``handle`` for somebody new."""

    handle: bytes
    digest: Digest
    expires_at: int


class ProposalStore(PeopleReader, ActStore, Protocol):
    """Where proposals are kept; each step writes its act with it, or neither."""

    def propose(self, proposal: Proposal, by: By) -> Proposal:
        """Keep a new one (its id does not count); ConflictError ``proposal_open``."""
        ...

    def proposal(self, number: int) -> Proposal | None:
        """One of them."""
        ...

    def proposals(self, after: int, limit: int) -> list[Proposal]:
        """The newest first, below ``after`` where that is not 0, ``limit`` at most."""
        ...

    def open_proposals(self, now: int, subject: str | None = None) -> list[Proposal]:
        """All that wait for somebody, about anything or one subject, the newest first."""
        ...

    def withdraw(self, number: int, by: By) -> bool:
        """End one that is open; False when it is not."""
        ...

    def confirm(self, number: int, link: NewLink, by: By, person_id: int) -> bool:
        """Do what an open one says, in one transaction with its end, for ``person_id``.

        False when it is not open, or who proposed it is no administrator any more; RefusedError
        ``role_required`` when who confirms is none; raises what the act itself raises.
        """
        ...

    def administrators(self) -> int:
        """How many there are who have ever come in, suspended ones too."""
        ...

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        ...


class Confirmed(NamedTuple):
    """A proposal that was carried out, and the invitation's text where it made one."""

    proposal: Proposal
    token: str = ""


class Proposals:
    """What two decide."""

    def __init__(
        self,
        store: ProposalStore,
        clock: Callable[[], int],
        randbytes: Callable[[int], bytes],
        invitation_seconds: int,
        seconds: int,
        *,
        two: bool,
    ) -> None:
        """``two`` is whether the rule holds at all; a proposal is good for ``seconds``."""
        self.store = store
        self._clock = clock
        self._randbytes = randbytes
        self._invitation_seconds = invitation_seconds
        self._seconds = seconds
        self._two = two

    def in_force(self) -> bool:
        """Whether nobody may do alone what is grave."""
        return self._two and self.store.administrators() > 1

    def alone(self) -> None:
        """Pass where one is enough; ConflictError ``two_needed``."""
        if self.in_force():
            raise ConflictError("two_needed", "propose it; another administrator confirms")

    def propose(self, kind: Grave, subject: str, said: Said, reason: str, actor: Actor) -> Proposal:
        """Propose something; what it needs is checked now, and again when it is confirmed.

        MalformedError ``role_of_another``, ``login_invalid`` and those of ``check_person_name``,
        ``control_character``, ``text_too_long``; NotFoundError ``person_unknown``,
        ``merchant_unknown``; RefusedError ``holder_unknown``, ``role_required`` for one's own
        place; ConflictError ``proposal_open``, ``login_taken``, ``role_same``,
        ``merchant_revoked``.
        """
        reason = given_reason(reason)
        with refusals_recorded(self.store, actor.by, "proposal", subject):
            person_id = _known(actor)
            said = self._checked(kind, subject, said, person_id)
            return self.store.propose(
                Proposal(
                    id=0,
                    kind=kind,
                    subject=subject,
                    said=said,
                    reason=reason,
                    actor=actor.by.actor,
                    person_id=person_id,
                    at=actor.by.at,
                    expires_at=actor.by.at + self._seconds,
                ),
                actor.by,
            )

    def one(self, number: int) -> Proposal:
        """One of them; NotFoundError ``proposal_unknown``."""
        found = self.store.proposal(number)
        if found is None:
            raise NotFoundError("proposal_unknown", "there is no such proposal")
        return found

    def confirm(self, number: int, actor: Actor) -> Confirmed:
        """Do what somebody else has proposed.

        NotFoundError ``proposal_unknown``; RefusedError ``same_person``, ``holder_unknown``,
        ``role_required`` for who was let go meanwhile;
        ConflictError ``proposal_over``, and what the act itself raises; where that could not be
        proposed any more, as ``propose``. Then it stays open.
        """
        proposal = self.one(number)
        with refusals_recorded(self.store, actor.by, "proposal", f"proposal:{number}"):
            person_id = _known(actor)
            if person_id == proposal.person_id:
                raise RefusedError("same_person", "whoever proposes something does not confirm it")
            token = new_token(self._randbytes)
            end = actor.by.at + self._invitation_seconds
            link = NewLink(self._randbytes(HANDLE_BYTES), token_digest(token), end)
            if not self.store.confirm(number, link, actor.by, person_id):
                raise _over()
        shown = token if proposal.kind in ("invitation", "reinvitation") else ""
        return Confirmed(self.one(number), shown)

    def withdraw(self, number: int, actor: Actor) -> Proposal:
        """End an open one, one's own or another's; ConflictError ``proposal_over``."""
        proposal = self.one(number)
        with refusals_recorded(self.store, actor.by, "proposal", f"proposal:{number}"):
            if proposal.seen(self._clock()) != "open" or not self.store.withdraw(number, actor.by):
                raise _over()
        return self.one(number)

    def _checked(self, kind: Grave, subject: str, said: Said, person_id: int) -> Said:
        """What is kept of what is asked for."""
        room, _, number = subject.partition(":")
        if kind == "invitation":
            name = check_person_name(str(said.get("name", "")))
            local = str(said.get("login", ""))
            login = make_login(local, Whose(None))
            if self.store.person_by_login(login) is not None:
                raise ConflictError("login_taken", f"the name {login} is taken")
            return {"name": name, "login": local, "role": check_role(str(said.get("role", "")))}
        if kind == "revocation":
            account = self.store.account(int(number)) if room == "merchant" else None
            if account is None:
                raise NotFoundError("merchant_unknown", "there is no such merchant")
            if account.merchant.status == "revoked":
                raise ConflictError("merchant_revoked", "this merchant was revoked for good")
            return {}
        found = self.store.person(int(number))
        if found is None or found.merchant_id is not None or found.state == "removed":
            raise NotFoundError("person_unknown", "there is no such person at the bureau")
        if found.id == person_id:
            raise RefusedError("role_required", "nobody changes their own place")
        if kind != "role":
            return {}
        role = check_role(str(said.get("role", "")))
        if role == found.role:
            raise ConflictError("role_same", "this person has that role already")
        return {"role": role}


def new_person(proposal: Proposal, handle: bytes) -> NewPerson:
    """Whom a proposal invites."""
    said = proposal.said
    return NewPerson(
        handle=handle,
        login=make_login(str(said["login"]), Whose(None)),
        name=str(said["name"]),
        role=check_role(str(said["role"])),
        merchant_id=None,
    )


def check_role(text: str) -> PersonRole:
    """A role of the bureau; MalformedError ``role_of_another``."""
    for role in OFFICIALS:
        if role == text:
            return role
    raise MalformedError("role_of_another", "this role is not the bureau's", pointer="/role")


def _known(actor: Actor) -> int:
    if actor.person_id is None:
        raise RefusedError("holder_unknown", "it is not known who holds this key")
    return actor.person_id


def _over() -> ConflictError:
    return ConflictError("proposal_over", "it was confirmed, withdrawn, or its time is over")
