"""A merchant with people, a bureau, and a clock that is moved, over a real store."""

import random
from pathlib import Path
from typing import Final

from pyotp import TOTP

from invoice_service.domain.acts import By
from invoice_service.keys.people import PEOPLE_KEY, PeopleKey
from invoice_service.services.people.desk import open_desk
from invoice_service.services.people.person import MERCHANTS, Person, PersonRole, Whose
from invoice_service.services.people.sessions import Lifetimes, Visit, Visitor
from invoice_service.services.people.trail import ActFilter
from invoice_service.services.people.tries import OwnCounts
from tests.domain.samples import BY, NOON
from tests.storage.shop import Shop, request

PASSWORD: Final = "seven ducks cross a river"
OTHER_PASSWORD: Final = "nine geese walk over ice"
HOUR: Final = 3600
LIFETIMES: Final = Lifetimes(12 * HOUR, 12 * HOUR, HOUR // 2, 10 * HOUR, 18 * HOUR)
VISIT: Final = Visit("192.0.2.7", "a browser")
SITE: Final = VISIT.origin
INVITATION_SECONDS: Final = 72 * HOUR
URL: Final = "https://fapiao.test"


class House:
    """People, and all that lets them in."""

    def __init__(self, folder: Path, url: str = URL) -> None:
        self.shop = Shop(folder)
        self.store = self.shop.store
        self.now = NOON
        self.random = random.Random(7)
        self.key = PeopleKey(folder / PEOPLE_KEY, self.random.randbytes)
        self.key.make()
        self.desk = open_desk(
            self.store,
            self.key,
            url,
            LIFETIMES,
            INVITATION_SECONDS,
            lambda: self.now,
            self.random.randbytes,
            OwnCounts(),
        )
        self.entrance, self.staff = self.desk.entrance, self.desk.staff
        self.mine = Whose(self.shop.merchant.id)
        self.other = Whose(self.store.add_merchant(request(1), BY).merchant.id)

    def by(self) -> By:
        """The operator, now."""
        return By("machine:root", self.now)

    def person(self, local: str, role: PersonRole = "owner", whose: Whose | None = None) -> Person:
        """Somebody who has accepted an invitation."""
        chosen = whose or (self.mine if role in MERCHANTS else Whose(None))
        invited = self.staff.invite(chosen, role, local.title(), local, self.by())
        return self.staff.accept(invited.token, PASSWORD, VISIT, self.now)

    def sign_in(self, person: Person, *, old: str = "", visit: Visit = VISIT) -> str:
        """A session by password; its text."""
        signed = self.entrance.by_password(person.login, PASSWORD, visit, visit.origin, old=old)
        return signed.token

    def visitor(self, token: str) -> Visitor:
        """Who sends this text, who must be somebody."""
        found = self.desk.sessions.visitor(token)
        assert found is not None
        return found

    def with_totp(self, person: Person) -> tuple[str, list[str]]:
        """Give somebody one-time codes; the secret and the recovery codes."""
        secret = self.desk.factors.offer(person, "fapiao.test").secret
        codes = self.desk.factors.enable(person, secret, self.code(secret), VISIT)
        return secret, codes

    def fresh(self, person: Person) -> Person:
        """The person as the store has it now."""
        found = self.store.person(person.id)
        assert found is not None
        return found

    def code(self, secret: str) -> str:
        """The one-time code of now."""
        return TOTP(secret).at(self.now)

    def acts(self, type_: str) -> list[tuple[str, str, dict[str, int | str]]]:
        """(actor, subject, what holds since) of all acts of a type."""
        found = self.store.acts(ActFilter(type=type_), 0, 1000)
        return [(one.act.actor, one.act.subject, one.act.after) for one in found]
