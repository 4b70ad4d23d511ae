"""Sign-ins that are kept until anything about keys or merchants changes.

Looking a caller up costs a digest and two reads, at every call of every till. What they would
find changes only by acts of the trail, so the newest act's place is a counter of changes: it is
looked at ``LOOK_SECONDS`` after the last time, and when it has moved, or the first of the kept keys
has come to its end, everything is forgotten. A revoked key or a suspended merchant is out by then
at the latest; the issuing transaction, which reads both again, refuses them at once.
"""

import time
from collections.abc import Callable
from math import inf
from typing import Final, NamedTuple, Protocol

from invoice_service.domain.merchant import Merchant
from invoice_service.services.people.sign_in import KeyReader, Principal, merchant_of, sign_in
from invoice_service.services.people.trail import Head
from invoice_service.services.ports import Account

LOOK_SECONDS: Final = 0.25
MOST_KEPT: Final = 10_000


class Register(KeyReader, Protocol):
    """What keeping sign-ins needs of a store."""

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        ...

    def last_act(self) -> Head:
        """The newest act of the trail."""
        ...


class Seller(NamedTuple):
    """A merchant's key, and the merchant."""

    principal: Principal
    merchant: Merchant


class KeptSignIns:
    """Merchants by the text of their key. For one thread."""

    def __init__(
        self,
        register: Register,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``wall`` gives unix seconds: keys end by it."""
        self._register = register
        self._clock = clock
        self._wall = wall
        self._ends = inf
        self._known: dict[str, Seller] = {}
        self._change = -1
        self._look_at = 0.0

    def seller(self, text: str) -> Seller | None:
        """Whose key this is; None where there is no such merchant.

        Raises as ``sign_in`` and ``merchant_of``; refusals are not kept.
        """
        self._look()
        found = self._known.get(text)
        if found is None:
            principal = sign_in(self._register, text, int(self._wall()))
            account = self._register.account(merchant_of(principal, "issue"))
            if account is None:
                return None
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            if principal.expires_at is not None:
                self._ends = min(self._ends, principal.expires_at)
            # What was read is not older than the counter: a later change is seen by it.
            found = self._known[text] = Seller(principal, account.merchant)
        return found

    def _look(self) -> None:
        now = self._clock()
        if now < self._look_at:
            return
        change = self._register.last_act().seq
        if change != self._change or self._wall() >= self._ends:
            self._known.clear()
            self._change, self._ends = change, inf
        self._look_at = now + LOOK_SECONDS
