"""Setting an instance up: its first administrator, merchant, owner and till, each of them once.

How far it is follows from what is stored, so it can be left half-way and gone on with in another
browser, or in the terminal. Who may do it has shown the code that the machine printed.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, Literal, NamedTuple, Protocol, get_args

from chain.errors import ConflictError, MalformedError, NotFoundError
from invoice_service.domain.acts import By, Recorded, act_by
from invoice_service.domain.merchant import (
    MerchantRequest,
    holds_organisation_code,
    is_tax_id,
)
from invoice_service.domain.text import check_till_name
from invoice_service.services.people import admit, passwords
from invoice_service.services.people.person import (
    PeopleStore,
    Person,
    PersonRole,
    Whose,
    check_person_name,
    make_login,
)
from invoice_service.services.people.ports import ApiKey, KeyStore, KeyTerms, MerchantStore
from invoice_service.services.people.sessions import Visit
from invoice_service.services.people.staff import Staff
from invoice_service.services.people.trail import ActFilter, ActStore, TrailReader
from invoice_service.services.ports import Account

Step = Literal["administrator", "merchant", "owner", "sale", "end"]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
ACTOR: Final = "setup"
"""Who acts, in the trail: whoever has shown the code."""

_TYPED: Final = ("tax_id", "name", "industry", "district", "address_phone", "bank_account")
_SUBJECT: Final = "instance"
_ENTERED: Final = "entered"
_FINISHED: Final = "finished"
_PAGE: Final = 1000


class SetupStore(PeopleStore, MerchantStore, KeyStore, ActStore, TrailReader, Protocol):
    """What setting up needs of a store."""


class SetupDoor(Protocol):
    """The code that lets in, and the browser that it has let in; for all processes."""

    def offer(self) -> str:
        """A new code; whatever let in before does no more."""
        ...

    def is_open(self) -> bool:
        """Whether a code waits, or somebody is in."""
        ...

    def enter(self, code: str) -> str:
        """Use the code up for a session's text; RefusedError ``setup_code_refused``."""
        ...

    def holds(self, token: str) -> bool:
        """Whether this is the session's text."""
        ...

    def close(self) -> None:
        """Let nobody in any more."""
        ...

    def is_heard(self) -> bool:
        """Whether somebody acts on a wish for another address."""
        ...

    def wish_address(self, url: str) -> str:
        """Ask for another public address; the code that lets in there."""
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Hold up every other step, of any process; not to be nested."""
        ...


class Named(NamedTuple):
    """Somebody to be signed in by name and password."""

    name: str
    local: str
    password: str


class Standing(NamedTuple):
    """What there is: of each kind the first."""

    administrator: Person | None
    account: Account | None
    owner: Person | None
    till: ApiKey | None
    begun: bool
    finished: bool

    @property
    def step(self) -> Step:
        """The first step that is not done."""
        if self.administrator is None:
            return "administrator"
        if self.account is None:
            return "merchant"
        if self.owner is None:
            return "owner"
        return "sale" if not self.account.used else "end"


class Setup:
    """The steps, in their order; what was done elsewhere meanwhile is not done twice."""

    def __init__(
        self, store: SetupStore, staff: Staff, door: SetupDoor, randbytes: Callable[[int], bytes]
    ) -> None:
        self.store = store
        self.door = door
        self._staff = staff
        self._randbytes = randbytes

    def standing(self) -> Standing:
        """How far it is."""
        account = next(iter(self.store.accounts(0, 1)), None)
        merchant_id = None if account is None else account.merchant.id
        keys = [] if merchant_id is None else self.store.keys(merchant_id)
        said = [one.act.after.get("step") for one in self._acts()]
        return Standing(
            administrator=self._active(None, "administrator"),
            account=account,
            owner=None if merchant_id is None else self._active(merchant_id, "owner"),
            till=next((key for key in keys if key.terms.till and key.revoked_at is None), None),
            begun=_ENTERED in said,
            finished=_FINISHED in said,
        )

    def is_wanted(self) -> bool:
        """Whether it was left half-way, or nobody has put anybody or any merchant in yet."""
        if not self._staff.store.people(None) and not self.store.accounts(0, 1):
            return not self.standing().finished
        found = self.standing()
        return found.begun and not found.finished

    def offer(self) -> str:
        """A code that lets one browser in; NotFoundError ``setup_over``."""
        with self.door.alone():
            if self.standing().finished:
                raise setup_over()
            return self.door.offer()

    def enter(self, code: str, by: By) -> str:
        """Let a browser in; RefusedError ``setup_code_refused``."""
        with self.door.alone():
            token = self.door.enter(code)
            self._record(_ENTERED, by)
        return token

    def change_address(self, url: str) -> str:
        """Have the instance made anew under this address; the code to go on with there.

        ConflictError ``address_fixed`` once there is anybody or any merchant,
        ``address_by_hand`` where nobody would act on it.
        """
        with self.door.alone():
            if self.store.people(None) or self.store.accounts(0, 1):
                raise ConflictError("address_fixed", "there are people or merchants already")
            if not self.door.is_heard():
                raise ConflictError(
                    "address_by_hand", "the environment says the address, or nothing can be written"
                )
            return self.door.wish_address(url)

    def administrator(self, who: Named, by: By) -> Person:
        """The bureau's first."""
        with self.door.alone():
            self._require("administrator")
            return self._person(Whose(None), "administrator", who, by)

    def merchant(self, request: MerchantRequest, by: By) -> Account:
        """The first merchant."""
        with self.door.alone():
            self._require("merchant")
            return admit.admit(self.store, request, by)

    def owner(self, who: Named, till: str, by: By) -> tuple[Person, str]:
        """The merchant's owner, and the key of its first till, which is shown now only."""
        with self.door.alone():
            account = self._require("owner").account
            merchant_id = -1 if account is None else account.merchant.id
            check_till_name(till, "/till")
            person = self._person(Whose(merchant_id), "owner", who, by)
            # A crash here: an owner and no key. Owners make keys, too; setting up goes on.
            _, text = admit.create_key(
                *(self.store, "merchant", merchant_id, till),
                by=by,
                randbytes=self._randbytes,
                terms=KeyTerms(till=till),
            )
        return person, text

    def finish(self, by: By) -> None:
        """Nobody sets this instance up again."""
        with self.door.alone():
            if self.standing().finished:
                raise setup_over()
            # A crash here: finished, with a door that its next user finds shut.
            self._record(_FINISHED, by)
            self.door.close()

    def _person(self, whose: Whose, role: PersonRole, who: Named, by: By) -> Person:
        """Invited, and the invitation accepted at once; goes on where that was interrupted."""
        name, login = check_person_name(who.name), make_login(who.local, whose)
        passwords.check_password(who.password, name, login, login.split("@")[0])
        there = self.store.person_by_login(login)
        if there is not None and (there.state, there.role) == ("invited", role):
            invited = self._staff.invite_again(there, by)
        else:
            invited = self._staff.invite(whose, role, name, who.local, by)
        return self._staff.accept(invited.token, who.password, Visit(by.origin, ""), by.at)

    def _require(self, step: Step) -> Standing:
        found = self.standing()
        if found.step != step:
            raise ConflictError("setup_elsewhere", f"this step is not to be done; {found.step} is")
        return found

    def _active(self, merchant_id: int | None, role: PersonRole) -> Person | None:
        people = self.store.people(merchant_id)
        return next((one for one in people if (one.role, one.state) == (role, "active")), None)

    def _acts(self) -> list[Recorded]:
        return self.store.acts(ActFilter(type="setup"), 0, _PAGE)

    def _record(self, step: str, by: By) -> None:
        self.store.record(act_by(by, "setup", _SUBJECT, after={"step": step}))


def typed_merchant(typed: Mapping[str, str], *, compared: bool) -> MerchantRequest:
    """As it was typed, but for spaces and small letters in the tax id, which mean the same.

    MalformedError ``tax_id_doubtful`` for one whose organisation code does not fit
    (``holds_organisation_code``), unless whoever typed it has ``compared`` it; others are left to
    its admission.
    """
    texts: dict[str, Any] = {name: typed.get(name, "").strip() for name in _TYPED}
    tax_id = texts["tax_id"] = "".join(texts["tax_id"].split()).upper()
    if not compared and is_tax_id(tax_id) and not holds_organisation_code(tax_id):
        raise MalformedError(
            "tax_id_doubtful",
            "characters 9 to 17 do not fit each other (GB 11714)",
            pointer="/tax_id",
        )
    return MerchantRequest(**texts)


def setup_over() -> NotFoundError:
    """Of what is done for good, or not begun."""
    return NotFoundError("setup_over", "this instance has been set up")
