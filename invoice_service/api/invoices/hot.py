"""The one hot route, before Flask: a single issue, answered on the server's loop.

Nothing is decided here that is not decided in ``IssuingCalls``, whose reading and answering are
used as they are. Whatever is not the plain good case (another header of weight, a key that is not
known, no tokens left, a body that cannot be read, a refusal, an issuing process that is gone) goes
the usual way, through Flask, as if we had not been here: with its token paid, and with the invoice
as it was prepared, so that asking twice is asking once.
"""

from collections.abc import Callable
from time import perf_counter_ns
from typing import Final, Protocol

from chain.errors import Problem
from invoice_service.api.access import bearer
from invoice_service.api.invoices.issuing import PREPARED, IssuingCalls
from invoice_service.api.requests import preferences
from invoice_service.api.shortcuts import Line, Toll
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.front.incoming import Incoming
from invoice_service.services.issuing.issue import Done
from invoice_service.services.people.kept import KeptSignIns

LARGEST_BODY: Final = 8_192  # bytes: about forty lines; what takes longer to read has a thread


class Asking(Protocol):
    """Who issues, without anybody waiting."""

    def ask(self, prepared: Prepared, done: Done, whose: str) -> None:
        """Tell ``done`` what became of it, in its caller's turn; None when nobody knows."""
        ...


class HotIssues:
    """For one loop."""

    def __init__(
        self,
        calls: IssuingCalls,
        *,
        signed: KeptSignIns,
        asking: Asking,
        toll: Toll,
        used: Callable[[int], None],
    ) -> None:
        """``used`` is told of each key, by its id."""
        self._calls = calls
        self._signed = signed
        self._used = used
        self.asking = asking
        self.toll = toll

    def take(self, line: Line, incoming: Incoming, usual: Callable[[], None]) -> bool:
        """Whether this is ours to answer. ``usual`` sends it the usual way after all."""
        if b"?" in incoming.target or not 0 < incoming.body.size <= LARGEST_BODY:
            return False
        began = perf_counter_ns()
        try:
            said = incoming.variables()
            wanted = preferences(said)
            seller = self._signed.seller(bearer(said.get("HTTP_AUTHORIZATION")) or "")
            if seller is None or wanted.wait:
                return False
            prepared = self._calls.prepare(
                seller.merchant, seller.principal, wanted, said, incoming.body.near()
            )
        except Problem:
            return False
        caller = self.toll.pay(str(seller.principal.key_id), incoming)
        if caller is None:
            return False
        self._used(seller.principal.key_id)
        incoming.noted[PREPARED] = prepared

        def answer(issued: Issued | Problem | None) -> None:
            if not isinstance(issued, Issued):
                usual()
                return
            try:
                found = self._calls.answer(issued, wanted)
            except Exception:  # noqa: BLE001 # Flask meets it again, and says what it was
                usual()
                return
            self.toll.reply(line, incoming, found, caller, began)

        self.asking.ask(prepared, answer, incoming.owner)
        return True
