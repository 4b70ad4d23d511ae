"""The first account of a merchant that was admitted: whoever applied is invited to be its owner.

With the admission the applicant's page offers it until a day that is written down. Who names the
owner there is given an invitation like any other (``people.staff``); its text follows from the
receipt and that day, so that the page can show it again, and the store has its digest alone. The
offer ends for good with its use, and with whatever else is decided about that person. The bureau's
desk offers anew or takes back what was not used.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, Protocol, get_args

import msgspec

from chain.errors import ConflictError
from chain.hashing import Digest, sha256
from invoice_service.domain.acts import By
from invoice_service.services.admission.ports import APPLICANT, Application
from invoice_service.services.help.desk import read_receipt
from invoice_service.services.people.person import (
    HANDLE_BYTES,
    NewPerson,
    Whose,
    check_person_name,
    make_login,
)
from invoice_service.services.people.sessions import token_digest
from invoice_service.services.people.trail import ActStore, refusals_recorded

OwnerState = Literal["closed", "offered", "invited", "over", "open"]
"""``closed``: nothing is offered; ``over``: its time is; ``open``: the account is there."""
OWNER_STATES: Final[tuple[OwnerState, ...]] = get_args(OwnerState)

_TOKEN_OF: Final = b"fapiao/v1/application/invitation\n"


class Opening(msgspec.Struct, frozen=True):
    """How it stands with the first account; ``until`` in unix seconds.

    ``login`` is the sign-in name of whoever was named; "" for nobody yet.
    """

    state: OwnerState
    until: int | None = None
    login: str = ""


class Invitation(NamedTuple):
    """The text of an invitation, which nobody but the applicant is shown."""

    token: str
    opening: Opening


class OwnerStore(ActStore, Protocol):
    """Keeps what is offered. Each change writes its act with it, or neither."""

    def opening(self, id_: int, now: int) -> Opening:
        """How it stands with an application's account."""
        ...

    def open_account(
        self, id_: int, until: int, new: NewPerson | None, invitation: Digest, by: By
    ) -> bool:
        """Invite somebody new, or (None) whoever was named before; False where nothing is offered
        until then any more.

        ConflictError ``login_taken``.
        """
        ...

    def offer_account(self, id_: int, until: int | None, by: By) -> bool:
        """Offer it until then; None takes it back, with an invitation that was not used.

        False where the merchant has an owner, or the application no merchant.
        """
        ...


class FirstOwner:
    """Offers the account, invites to it, takes it back."""

    def __init__(
        self,
        store: OwnerStore,
        clock: Callable[[], int],
        randbytes: Callable[[int], bytes],
        seconds: int,
    ) -> None:
        """It is offered for ``seconds``; ``clock`` and ``randbytes`` as ``Applications``."""
        self._store, self._clock = store, clock
        self._randbytes, self._seconds = randbytes, seconds

    def look(self, found: Application) -> Opening:
        """How it stands."""
        if found.merchant_id is None:
            return Opening("closed")
        return self._store.opening(found.id, self._clock())

    def invitation(self, receipt: str, found: Application) -> Invitation | None:
        """The one that waits for its use, for whoever has the receipt; None for none."""
        opening = self.look(found)
        if opening.state != "invited":
            return None
        return Invitation(_token(receipt, opening), opening)

    def invite(
        self, receipt: str, found: Application, name: str, local: str, origin: str
    ) -> Invitation:
        """Invite the owner; whoever is invited already gets the same again.

        MalformedError ``login_invalid`` and those of ``check_person_name``; ConflictError
        ``account_not_offered``, ``login_taken``.
        """
        there = self.invitation(receipt, found)
        if there is not None:
            return there
        opening = self.look(found)
        if opening.state != "offered" or opening.until is None:
            raise _not_offered(opening)
        new = None if opening.login else self._new(found, name, local)
        token = _token(receipt, opening)
        by = By(APPLICANT, self._clock(), origin)
        with refusals_recorded(self._store, by, "person", f"merchant:{found.merchant_id}"):
            if not self._store.open_account(
                found.id, opening.until, new, token_digest(token), by
            ) and (self.invitation(receipt, found) is None):
                raise _not_offered(self.look(found))
        return Invitation(token, self.look(found))

    def offer(self, found: Application, by: By) -> Opening:
        """Offer it anew, from now on; ConflictError ``account_not_offered``."""
        return self._change(found, by.at + self._seconds, by)

    def take_back(self, found: Application, by: By) -> Opening:
        """Offer it no more; an invitation that was not used is void; as ``offer``."""
        return self._change(found, None, by)

    def _change(self, found: Application, until: int | None, by: By) -> Opening:
        with refusals_recorded(self._store, by, "invitation", f"application:{found.id}"):
            if not self._store.offer_account(found.id, until, by):
                raise _not_offered(self.look(found))
        return self.look(found)

    def _new(self, found: Application, name: str, local: str) -> NewPerson:
        return NewPerson(
            handle=self._randbytes(HANDLE_BYTES),
            login=make_login(local, Whose(found.merchant_id)),
            name=check_person_name(name),
            role="owner",
            merchant_id=found.merchant_id,
        )


def _token(receipt: str, opening: Opening) -> str:
    """A text as ``new_token`` makes them; the receipt has 100 random bits."""
    text = f"{read_receipt(receipt)}\n{opening.until}".encode()
    return urlsafe_b64encode(sha256(_TOKEN_OF + text)).decode().rstrip("=")


def _not_offered(opening: Opening) -> ConflictError:
    said = {
        "closed": "no account is offered here: ask the tax office",
        "offered": "it is offered anew: load the page again",
        "invited": "somebody is invited already",
        "over": "its time is over: have the tax office offer it anew",
        "open": "the account is open: sign in",
    }
    return ConflictError("account_not_offered", said[opening.state], account=opening.state)
