"""The audit's walk along prepaid accounts: the ledger adds up, and follows from the invoices."""

from collections.abc import Sequence
from typing import Final, NamedTuple, NoReturn, Protocol

from chain.audit.finding import AuditError
from chain.commitment import parse_password_area
from chain.hashing import Digest
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.money import Fen
from invoice_service.domain.prepaid import Event, Sums, moved
from invoice_service.services.prepaid.ports import Whole

_ROWS_AT_ONCE: Final = 64


class StoredPrepaid(Protocol):
    """What the audit needs of accounts and of the invoices that they paid."""

    def all_prepaids(self, after: int, limit: int) -> Sequence[Whole]:
        """Return accounts above ``after``, lowest first."""
        ...

    def prepaid_sums(self) -> Sums:
        """Return what the database itself adds up of all entries."""
        ...

    def invoice(self, digest: Digest) -> StoredInvoice | None:
        """Return the invoice with this digest."""
        ...

    def returns_of(self, seq: int) -> Sequence[StoredInvoice]:
        """Return the red invoices over the blue one at ``seq``."""
        ...


class PrepaidAudit(NamedTuple):
    """What held: so many accounts with so many events, and what stands in their books together."""

    accounts: int
    events: int
    sums: Sums


def audit_prepaid(stored: StoredPrepaid) -> PrepaidAudit:
    """Return what held, or raise AuditError for the first that did not.

    1. an account begins with what was paid in, and only with that;
    2. no book is ever below nothing;
    3. a release is all of a blue invoice of the account's merchant, which no other has paid, before
       the account ended;
    4. what came back is what red invoices took back of it, each once and none missing, or all that
       was left because the wallet refused;
    5. the database's own sum of all entries is the same.
    """
    expected = stored.prepaid_sums()
    done = accounts = events = 0
    total = Sums()
    while rows := stored.all_prepaids(done, _ROWS_AT_ONCE):
        for whole in rows:
            sums = _Account(stored, whole).check()
            total = Sums(*(a + b for a, b in zip(total, sums, strict=True)))
            accounts, events = accounts + 1, events + len(whole.events)
        done = rows[-1].account.seq
    # Somebody may have written meanwhile: then only what was paid in cannot have shrunk.
    again = stored.prepaid_sums()
    if expected == again and total != expected:
        raise AuditError("prepaid", "all accounts", f"sums {expected}", f"sums {total}")
    return PrepaidAudit(accounts, events, total)


class _Account:
    """One account's events, walked once."""

    def __init__(self, stored: StoredPrepaid, whole: Whole) -> None:
        self._stored, self._whole = stored, whole
        self._left: dict[str, Fen] = {}
        self._reds: dict[str, set[str]] = {}
        self._ended = False

    def check(self) -> Sums:
        """What stands in the books."""
        sums = Sums()
        for place, event in enumerate(self._whole.events):
            if (event.kind == "open") != (place == 0):
                self._wrong(event, "opened once, first of all", event.kind)
            self._event(event)
            sums = moved(sums, event)
            if min(sums) < 0:
                self._wrong(event, "no book below nothing", str(sums))
        if not sums.paid_in:
            raise AuditError("prepaid", f"account {self._whole.account.id}", "money", "nothing")
        self._missing()
        return sums

    def _event(self, event: Event) -> None:
        if event.kind == "release":
            self._release(event)
        elif event.kind == "return":
            self._return(event)
        elif event.kind == "refuse":
            self._back(event, self._left.get(event.invoice, 0))
        elif event.kind == "refund":
            self._ended = True

    def _release(self, event: Event) -> None:
        """Step 3."""
        account, invoice = self._whole.account, self._invoice(event.invoice)
        late = self._ended or event.at >= account.expires_at
        found = None if invoice is None else (invoice.type, invoice.merchant_id, invoice.total)
        if late or found != ("blue", account.merchant_id, event.amount):
            self._wrong(event, "all of a blue invoice of the merchant, in time", str(found))
        if event.invoice in self._left:
            self._wrong(event, "an invoice paid once", event.invoice)
        self._left[event.invoice] = event.amount

    def _return(self, event: Event) -> None:
        """Step 4, of a red invoice."""
        red = self._invoice(event.red)
        if red is None or (red.reverses_hash, red.total) != (event.invoice, -event.amount):
            self._wrong(event, f"what {event.red} takes back", str(event.amount))
        seen = self._reds.setdefault(event.invoice, set())
        if event.red in seen:
            self._wrong(event, "a red invoice counted once", event.red)
        seen.add(event.red)
        self._back(event, event.amount)

    def _back(self, event: Event, amount: Fen) -> None:
        if not 0 < amount == event.amount <= self._left.get(event.invoice, 0):
            self._wrong(event, f"{amount} of what was released", str(event.amount))
        self._left[event.invoice] -= amount

    def _missing(self) -> None:
        """Step 4: each red invoice over what this paid has given back, unless the wallet refused.

        Looked up before the events are read again: a red invoice comes with its event.
        """
        reds = {hash_: self._reds_over(hash_) for hash_ in self._left}
        if not any(reds.values()):
            return
        (again,) = self._stored.all_prepaids(self._whole.account.seq - 1, 1)
        told = {event.red for event in again.events}
        refused = {event.invoice for event in again.events if event.kind == "refuse"}
        for hash_, found in reds.items():
            missing = found - told
            if missing and hash_ not in refused:
                place = f"account {self._whole.account.id}"
                raise AuditError("prepaid", place, f"the return of {min(missing)}", "nothing")

    def _reds_over(self, hash_: str) -> set[str]:
        invoice = self._invoice(hash_)
        return (
            set() if invoice is None else {red.hash for red in self._stored.returns_of(invoice.seq)}
        )

    def _invoice(self, hash_: str) -> StoredInvoice | None:
        return self._stored.invoice(parse_password_area(hash_))

    def _wrong(self, event: Event, expected: str, found: str) -> NoReturn:
        raise AuditError("prepaid", f"event {event.seq}", expected, found)
